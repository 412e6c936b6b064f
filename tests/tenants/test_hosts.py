"""Names: a tenant takes another, the old one leads there, and nobody else gets it meanwhile."""

import io
import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connections, transaction
from django.test import Client

from billing.signup import other_faults
from config.errors import NotFound, ValidationFailed
from tenants import hosts, services
from tenants.engine.owner import owner_connection
from tenants.hosts import KEPT_FOR, rename
from tenants.models import Domain, RetiredSlug, Tenant
from tenants.tasks import tidy_hosts
from tests.client import Api

pytestmark = pytest.mark.django_db


def asked(host: str, path: str = "/login", method: str = "get", **headers: str):
    return getattr(Client(), method)(path, headers={"Host": host, **headers})


def test_a_page_at_the_old_host_leads_to_the_new_one_with_path_and_query(acme, now):
    rename(tenant_id=acme.id, slug="acme-west", now=now)

    for method in ("get", "head"):
        answer = asked("acme.plaza.localhost", "/login?next=/plan%3Fa=1", method)
        assert (answer.status_code, answer["Location"]) == (
            308,
            "http://acme-west.plaza.localhost:8000/login?next=/plan%3Fa=1",
        )
        assert answer["Cache-Control"] == "no-store"
    assert asked("acme-west.plaza.localhost").status_code == 200


@pytest.mark.parametrize("path", ["//evil.example/x", "/\\evil.example", "/x?next=//evil.example"])
def test_no_path_leads_to_another_host(acme, now, path):
    rename(tenant_id=acme.id, slug="acme-west", now=now)
    answer = Client().generic("GET", path, headers={"Host": "acme.plaza.localhost"})

    assert answer.status_code == 308
    assert answer["Location"].startswith("http://acme-west.plaza.localhost:8000/")


def test_a_program_at_the_old_host_is_told_where_to_go_and_its_token_goes_nowhere(acme, api, now):
    client = api(acme)
    rename(tenant_id=acme.id, slug="acme-west", now=now)

    for send in (client.get, client.post, client.delete):
        refused = send("/api/v1/contacts?limit=1", status=410)
        assert (refused["code"], refused["url"]) == (
            "tenant_moved",
            "http://acme-west.plaza.localhost:8000/api/v1/contacts?limit=1",
        )
        assert client.last["Cache-Control"] == "no-store"
    assert asked("acme.plaza.localhost", "/login", "post").status_code == 410
    acme.refresh_from_db()
    moved = Api(acme, {"Authorization": client.authorization})
    assert moved.get("/api/v1/me")["tenant"]["slug"] == "acme-west"


def test_nobody_else_takes_the_name_for_90_days(acme, globex, now):
    rename(tenant_id=acme.id, slug="acme-west", now=now)

    with pytest.raises(services.SlugTaken):
        services.reserve(slug="acme", organisation="Squatter")
    with pytest.raises(services.SlugTaken):
        rename(tenant_id=globex.id, slug="acme", now=now)
    page = asked("plaza.localhost", "/signup/slug?slug=acme").content
    faults = other_faults({"slug": "acme", "password": "x"}, known=())

    assert str(services.SlugTaken.title).encode() in page
    assert faults["slug"] == [str(services.SlugTaken.title)]
    assert {t.slug for t in Tenant.objects.all()} == {"acme-west", "globex"}
    assert asked("globex.plaza.localhost").status_code == 200


def test_after_90_days_the_name_is_free_and_leads_nowhere(acme, now):
    rename(tenant_id=acme.id, slug="acme-west", now=now - KEPT_FOR)

    assert asked("acme.plaza.localhost").status_code == 404
    assert tidy_hosts() == 1
    assert services.reserve(slug="acme", organisation="Next").slug == "acme"
    assert RetiredSlug.objects.count() == 0


def test_a_tenant_takes_its_old_name_back(acme, now):
    rename(tenant_id=acme.id, slug="acme-west", now=now)
    rename(tenant_id=acme.id, slug="acme-east", now=now)
    rename(tenant_id=acme.id, slug="acme", now=now)

    assert asked("acme.plaza.localhost").status_code == 200
    assert [asked(f"acme-{side}.plaza.localhost")["Location"] for side in ("west", "east")] == [
        "http://acme.plaza.localhost:8000/login",
        "http://acme.plaza.localhost:8000/login",
    ]
    assert [d.domain for d in Domain.objects.filter(tenant=acme)] == ["acme.plaza.localhost"]


def test_renaming_twice_is_renaming_once(acme, now):
    first = rename(tenant_id=acme.id, slug="acme-west", now=now)
    second = rename(tenant_id=acme.id, slug="acme-west", now=now + timedelta(days=1))

    assert (first.slug, second.slug) == ("acme-west", "acme-west")
    assert RetiredSlug.objects.get().until == now + KEPT_FOR


@pytest.mark.parametrize(
    ("slug", "refusal"),
    [("globex", services.SlugTaken), ("api", ValidationFailed), ("Not A Label", ValidationFailed)],
)
def test_a_name_that_cannot_be_had_changes_nothing(acme, globex, now, slug, refusal):
    with pytest.raises(refusal):
        rename(tenant_id=acme.id, slug=slug, now=now)

    acme.refresh_from_db()
    assert (acme.slug, RetiredSlug.objects.count()) == ("acme", 0)
    assert asked("acme.plaza.localhost").status_code == 200


def test_a_closed_tenant_is_not_renamed_and_its_old_name_leads_nowhere(acme, now):
    rename(tenant_id=acme.id, slug="acme-west", now=now)
    Tenant.objects.filter(pk=acme.pk).update(status="closed")

    with pytest.raises(NotFound):
        rename(tenant_id=acme.id, slug="acme", now=now)
    assert asked("acme.plaza.localhost").json()["code"] == "unknown_host"


@pytest.mark.django_db(transaction=True)
def test_a_sign_up_at_the_very_moment_does_not_get_the_name(acme, now):
    """The sign-up's row waits for the tenant that is giving the name up, and looks after that."""
    given_up, is_waited_for = threading.Event(), threading.Event()

    def sign_up() -> str:
        assert given_up.wait(10)
        try:
            return services.reserve(slug="acme", organisation="Squatter").slug
        except services.SlugTaken as refused:
            return refused.code
        finally:
            connections.close_all()

    def give_up() -> str:
        try:
            with transaction.atomic():
                renamed = rename(tenant_id=acme.id, slug="acme-west", now=now)
                given_up.set()
                is_waited_for.wait(10)
            return renamed.slug
        finally:
            connections.close_all()

    with ThreadPoolExecutor(2) as pool:
        renaming, signing_up = pool.submit(give_up), pool.submit(sign_up)
        await_a_waiting_lock()
        is_waited_for.set()
        answers = renaming.result(10), signing_up.result(10)

    assert answers == ("acme-west", "slug_taken")
    assert Tenant.objects.filter(slug="acme").count() == 0


def await_a_waiting_lock() -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND locktype = 'transactionid'"
    with owner_connection() as owner:
        for _ in range(500):
            if owner.execute(waiting).fetchone() != (0,):
                return
            time.sleep(0.02)
    pytest.fail("nobody waits")


def told(*arguments: str) -> list[dict]:
    out = io.StringIO()
    call_command("tenant", *arguments, "--json", stdout=out)
    return json.loads(out.getvalue())["results"]


def test_the_command_renames_and_says_so_again(acme):
    first, second = (told("rename", "acme", "acme-west") for _ in range(2))

    assert first == second
    assert (first[0]["slug"], first[0]["url"]) == (
        "acme-west",
        "http://acme-west.plaza.localhost:8000",
    )
    with pytest.raises(CommandError, match="no tenant 'nobody'"):
        told("rename", "nobody", "somebody")


def test_a_host_name_is_lower_case_ascii_labels():
    good = ["a", "a.b", "xn--bcher-kva.example", "1.2", "a-b.c"]
    bad = ["", ".", "a.", ".a", "a..b", "-a", "a-", "A", "ü", "a_b", "a b", "a" * 64, "a\n"]

    assert [name for name in good if not hosts.is_host_name(name)] == []
    assert [name for name in bad if hosts.is_host_name(name)] == []
