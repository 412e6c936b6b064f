"""Each store outside of the tables, used by two tenants under equal names: each has its own, and no other's."""

import json
import logging
import threading
from copy import deepcopy
from typing import Any

import pytest
import redis
from django.conf import settings as plaza
from django.core.cache import cache
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connections, transaction
from django.test import RequestFactory
from django_tenants.utils import schema_context

from apps.crm.tasks import import_contacts
from config.cache import ForeignValue
from config.context import NoTenant
from config.errors import IdempotencyKeyBusy
from config.idempotency import _alone, _scope
from config.logs import SHARED_PROCESSORS
from config.messages import REQUEST_HEADER, TENANT_HEADER
from config.needs import Role
from tenants.identity.people import add_member
from tenants.isolation import on_square, square_context, tenant_context
from tenants.life.stores import files_of, keys_of
from tenants.slots import NoSlotFree, slot
from tests.client import Api
from tests.tenants.identity.people import browser, join, sign_in

pytestmark = pytest.mark.django_db


@pytest.fixture
def folder(settings, tmp_path):
    settings.STORAGES = deepcopy(plaza.STORAGES)
    settings.STORAGES["default"]["OPTIONS"]["location"] = tmp_path / "files"
    return tmp_path / "files"


@pytest.fixture
def server():
    with redis.Redis.from_url(plaza.REDIS_URL) as server:
        yield server


# --- the cache ----------------------------------------------------------------------------------------


def test_equal_keys_of_the_cache_hold_each_tenant_s_own_value(acme, globex, server):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            cache.set("k", tenant.slug)
            cache.add("n", 1)
            cache.incr("n")
    with square_context():
        cache.set("k", "square")

    found = []
    for tenant in (acme, globex):
        with tenant_context(tenant):
            found.append(cache.get_many(["k", "n"]))
        with tenant_context(tenant), on_square():
            found.append(cache.get("k"))
        with schema_context(tenant.schema_name):  # django-tenants' own
            found.append(cache.get("k"))

    assert found == [
        *({"k": "acme", "n": 2}, "acme", "acme"),
        *({"k": "globex", "n": 2}, "globex", "globex"),
    ]
    assert cache.get("k") == "square"
    assert sorted(keys_of(acme.id)) == [
        f"plaza:{{{acme.id.hex}}}:cache:1:{key}".encode() for key in ("k", "n")
    ]


def test_a_value_that_another_tenant_stored_is_not_handed_out(acme, globex, server):
    """Should a key ever lose its tenant, its value still says whose it is."""
    with tenant_context(acme):
        cache.set("k", "of acme")
    server.rename(f"plaza:{{{acme.id.hex}}}:cache:1:k", f"plaza:{{{globex.id.hex}}}:cache:1:k")

    for ask in (lambda: cache.get("k"), lambda: cache.get_many(["k"])):
        with tenant_context(globex), pytest.raises(ForeignValue):
            ask()


# --- files --------------------------------------------------------------------------------------------


def test_a_tenant_names_files_in_its_own_folder_alone(acme, globex, folder):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            default_storage.save(f"{tenant.id}/imports/same", ContentFile(tenant.slug.encode()))
    theirs = f"{globex.id}/imports/same"

    with tenant_context(acme):
        ours = default_storage.open(f"{acme.id}/imports/same").read()
        for name in (theirs, f"{acme.id}/../{theirs}", "", "../x", str(folder / theirs)):
            for act in (
                default_storage.open, default_storage.exists, default_storage.listdir,
                default_storage.delete, default_storage.size,
                lambda name: default_storage.save(name, ContentFile(b"x")),
            ):  # fmt: skip
                with pytest.raises((SuspiciousFileOperation, ValueError)):
                    act(name)
        with on_square(), pytest.raises(SuspiciousFileOperation):
            default_storage.open(theirs)

    assert ours == b"acme"
    assert [list(files_of(tenant.id)) for tenant in (acme, globex)] == [
        [f"{tenant.id}/imports/same"] for tenant in (acme, globex)
    ]


def test_a_temporary_file_of_an_upload_says_whose_it_is(acme, globex, settings):
    settings.ROOT_URLCONF = "tests.tenants.streamed_pages"
    for tenant in (acme, globex):
        answer = browser(tenant).post("/uploaded", {"file": SimpleUploadedFile("same.csv", b"a")})
        assert answer.content.decode().rpartition("/")[2].startswith(f"plaza-{tenant.id.hex}-")


# --- sessions, cookies, tokens ------------------------------------------------------------------------


def test_a_session_s_content_cannot_be_read_at_another_tenant_nor_on_the_square(
    acme, globex, settings
):
    settings.ROOT_URLCONF = settings.PUBLIC_SCHEMA_URLCONF = "tests.tenants.streamed_pages"
    ours = browser(acme)
    visits = [ours.get("/counted").content for _ in range(2)]
    for other in (globex, None):
        stranger = browser(other)
        stranger.cookies[plaza.SESSION_COOKIE_NAME] = ours.cookies[plaza.SESSION_COOKIE_NAME].value
        answer = stranger.get("/counted")
        assert answer.content == b"1"
        # It begins one of its own, and acme's is not written over.
        assert len({c.cookies[plaza.SESSION_COOKIE_NAME].value for c in (ours, stranger)}) == 2
    visits.append(ours.get("/counted").content)

    assert visits == [b"1", b"2", b"3"]


def test_cookies_belong_to_one_host(acme, settings):
    settings.ROOT_URLCONF = "tests.tenants.streamed_pages"
    answer = browser(acme).get("/counted")
    assert [(c["domain"], c["path"]) for c in answer.cookies.values()] == [("", "/")]
    domains = ("SESSION_COOKIE_DOMAIN", "CSRF_COOKIE_DOMAIN", "LANGUAGE_COOKIE_DOMAIN")
    assert [getattr(plaza, name) for name in domains] == [None] * 3


def test_a_token_of_one_person_at_two_tenants_opens_the_one_that_it_was_made_for(acme, globex):
    member = join(acme)
    add_member(tenant=globex, person=member.person, role=Role(member.role))
    pairs = {tenant.slug: sign_in(tenant, member.person.email).json() for tenant in (acme, globex)}
    opened = {}
    for at in (acme, globex):
        for slug, pair in pairs.items():
            client = Api(at, {"Authorization": f"Bearer {pair['access']}"}).client
            refreshed = client.post(
                "/api/v1/auth/refresh",
                {"refresh": pair["refresh"]},
                content_type="application/json",
            )
            asked = client.get("/api/v1/contacts").status_code
            if at.slug != slug:
                opened[at.slug, slug] = (asked, refreshed.status_code)
            else:
                assert asked == 200

    assert opened == {("acme", "globex"): (401, 401), ("globex", "acme"): (401, 401)}


# --- locks and slots ----------------------------------------------------------------------------------


def test_locks_under_equal_keys_are_each_tenant_s_own(acme, globex):
    request = RequestFactory().post("/api/v1/contacts")
    found: list[str] = []

    def try_as(tenant: Any) -> None:
        try:
            with tenant_context(tenant), transaction.atomic():
                _alone(_scope(request), "same key")
                found.append("free")
        except IdempotencyKeyBusy:
            found.append("busy")
        finally:
            connections.close_all()

    with tenant_context(acme), transaction.atomic():
        _alone(_scope(request), "same key")
        for tenant in (acme, globex):
            thread = threading.Thread(target=try_as, args=[tenant])
            thread.start()
            thread.join()

    assert found == ["busy", "free"]


def test_slots_of_equal_tasks_are_each_tenant_s_own(acme, globex):
    with slot(tenant_id=acme.pk, slots=1, holder="same"):
        with slot(tenant_id=globex.pk, slots=1, holder="same"):
            pass
        with pytest.raises(NoSlotFree), slot(tenant_id=acme.pk, slots=1, holder="another"):
            pass


# --- queues -------------------------------------------------------------------------------------------


def test_a_message_names_its_tenant_however_it_is_sent(acme, globex, server):
    for tenant in (acme, globex):
        with tenant_context(tenant):
            import_contacts.delay(import_id="same")
            import_contacts.si(import_id="same").apply_async()
    with square_context(), pytest.raises(NoTenant):
        import_contacts.delay(import_id="same")

    sent = [json.loads(raw)["headers"] for raw in server.lrange("plaza:validation", 0, -1)]
    assert [headers[TENANT_HEADER] for headers in reversed(sent)] == [
        str(tenant.id) for tenant in (acme, acme, globex, globex)
    ]
    assert {headers[REQUEST_HEADER] for headers in sent} == {""}


def test_a_line_of_the_log_names_the_tenant_in_force_and_not_the_one_around_it(acme, globex):
    def line() -> dict[str, Any]:
        event: Any = {"event": "same"}
        record = logging.makeLogRecord({"name": "x"})
        for process in SHARED_PROCESSORS:
            event = process(logging.getLogger("x"), "info", event | {"_record": record})
        return dict(event)

    with tenant_context(acme):
        outer = line()
        with tenant_context(globex):
            inner = line()
    outside = line()

    assert (outer["tenant_id"], inner["tenant_id"]) == (str(acme.id), str(globex.id))
    assert "tenant_id" not in outside
