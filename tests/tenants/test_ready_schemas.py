"""The pool of ready schemas, and the sign-up that takes from it."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import redis
from django.conf import settings
from django.db import connection, transaction
from django.test import Client

from billing import signup
from billing.tasks import finish_sign_up
from config.models import OutboxMessage
from tenants.isolation import owner_context
from tenants.models import ReadySchema, Template, Tenant
from tenants.pool import claim_ready, fill_pool
from tenants.tasks import fill_pool_of_schemas
from tenants.template import code_version, same_as_template
from tests.billing.test_signup import PASSWORD, wish
from tests.tenants.schemas import drop_all, owner_cursor, schemas

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_left(db: None) -> Iterator[None]:
    drop_all()
    yield
    drop_all()


def sign_up(status: int, **changes: Any) -> Any:
    square = Client(headers={"Host": "plaza.localhost"})
    answer = square.post("/api/v1/signup", wish(**changes), content_type="application/json")
    assert answer.status_code == status, answer.content
    return answer.json()


def test_filling_makes_whole_schemas_with_their_roles_until_there_are_enough():
    told: list[str] = []

    assert fill_pool(wanted=3, tell=told.append) == 3
    assert fill_pool(wanted=3, tell=told.append) == 0

    ready = list(ReadySchema.objects.all())
    assert {row.schema_name for row in ready} == schemas()
    assert [(row.version, row.claimed_at) for row in ready] == [(code_version(), None)] * 3
    assert [same_as_template(row.schema_name) for row in ready] == [[]] * 3
    assert told == [f"{number} of 3 schemas are ready." for number in (1, 2, 3)]
    with owner_cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_roles WHERE rolname = ANY(%s)", [sorted(schemas())])
        assert cursor.fetchone() == (3,)


def test_the_oldest_is_claimed_once_and_comes_back_with_a_rollback():
    fill_pool(wanted=2)
    oldest, other = ReadySchema.objects.order_by("made_at").values_list("id", flat=True)

    with transaction.atomic():
        claimed = claim_ready()
        assert claimed is not None
        assert (claimed.id, claimed.version) == (oldest, code_version())
        transaction.set_rollback(True)
    answers = [claim_ready() for _ in range(3)]

    assert [answer and answer.id for answer in answers] == [oldest, other, None]


def test_those_who_claim_at_once_get_different_ones_and_nobody_waits():
    fill_pool(wanted=4)

    def run(_: int) -> Any:
        try:
            with transaction.atomic():
                claimed = claim_ready()
                time.sleep(0.2)
                return claimed and claimed.id
        finally:
            connection.close()

    with ThreadPoolExecutor(6) as pool:
        answers = list(pool.map(run, range(6)))

    assert answers.count(None) == 2
    assert len(set(answers)) == 5


def test_one_of_an_older_version_is_nobodys_and_one_of_a_newer_is_anybodys():
    fill_pool(wanted=1)
    for version, age in (("of-yesterday", "-1"), ("of-tomorrow", "+1")):
        with owner_context():
            Template.objects.create(version=version, sql="", tables=[])
        with owner_cursor() as cursor:
            moved = f"UPDATE public.tenants_template SET made_at = now() {age[0]} interval '1 day' WHERE version = %s"
            cursor.execute(moved.encode(), [version])

    ReadySchema.objects.update(version="of-yesterday")
    assert claim_ready() is None
    # It is not counted either: another is made beside it, and the fleet migrates the old one.
    assert fill_pool(wanted=1) == 1
    ReadySchema.objects.filter(version=code_version()).delete()
    ReadySchema.objects.update(version="of-tomorrow")
    claimed = claim_ready()
    assert claimed is not None
    assert claimed.version == "of-tomorrow"


def test_two_who_fill_at_once_make_no_more_than_wanted():
    def run(_: int) -> int:
        try:
            return fill_pool(wanted=3)
        finally:
            connection.close()

    with ThreadPoolExecutor(3) as pool:
        made = list(pool.map(run, range(3)))

    assert (sum(made), ReadySchema.objects.count(), len(schemas())) == (3, 3, 3)


def test_a_sign_up_with_a_ready_schema_is_active_in_its_one_transaction(now: Any, settings: Any):
    fill_pool(wanted=1)
    ready = ReadySchema.objects.get()
    before = schemas()
    settings.PLAZA_CAN_PROVISION = False

    answer = sign_up(201)

    assert answer["tenant"]["status"] == "active"
    tenant = Tenant.objects.get()
    assert (tenant.id, tenant.schema_name) == (ready.id, ready.schema_name)
    assert (tenant.status, tenant.schema_version) == ("active", code_version())
    assert schemas() == before
    stall = Client(headers={"Host": "records.plaza.localhost"})
    token = stall.post(
        "/api/v1/auth/token",
        {"email": "owner@records.test", "password": PASSWORD},
        content_type="application/json",
    )
    assert token.status_code == 200, token.content
    headers = {"Authorization": f"Bearer {token.json()['access']}"}
    created = stall.post(
        "/api/v1/contacts",
        {"email": "a@records.test"},
        content_type="application/json",
        headers=headers,
    )
    assert created.status_code == 201, created.content


def test_a_refused_sign_up_claims_nothing(now: Any):
    fill_pool(wanted=2)
    sign_up(201)

    sign_up(409, email="other@records.test")

    assert ReadySchema.objects.filter(claimed_at=None).count() == 1


def test_a_dry_pool_is_202_without_the_owner_and_the_provisioner_finishes(settings: Any):
    settings.PLAZA_CAN_PROVISION = False
    answer = sign_up(202)

    assert answer["tenant"]["status"] == "provisioning"
    tenant = Tenant.objects.get()
    assert answer["status_url"] == f"http://plaza.localhost/api/v1/signup/status/{tenant.id}"
    assert sign_up(202)["status_url"] == answer["status_url"]
    assert promised("billing.finish_sign_up") >= 1
    settings.PLAZA_CAN_PROVISION = True
    finish_sign_up(tenant_id=str(tenant.id))
    tenant.refresh_from_db()
    assert (tenant.status, same_as_template(tenant.schema_name)) == ("active", [])


def test_a_dry_pool_is_201_where_the_owner_is_at_hand():
    assert sign_up(201)["tenant"]["status"] == "active"
    assert same_as_template(Tenant.objects.get().schema_name) == []


def test_each_claim_asks_for_a_refill_and_the_task_makes_it(now: Any, settings: Any):
    settings.PLAZA_READY_SCHEMAS = 2
    assert fill_pool_of_schemas() == 2
    signup.sign_up(**wish(), now=now)

    assert promised("tenants.fill_pool") == 1
    assert fill_pool_of_schemas() == 1
    # What was used is forgotten, its schema is the tenant's.
    assert list(ReadySchema.objects.values_list("claimed_at", flat=True)) == [None, None]
    assert Tenant.objects.get().schema_name in schemas()


def promised(task: str) -> int:
    """How many messages wait for a worker, in the outbox or with the broker."""
    broker = redis.Redis.from_url(settings.REDIS_URL)
    queues = [key for key in broker.keys("plaza:*") if broker.type(key) == b"list"]
    waiting = [message for queue in queues for message in broker.lrange(queue, 0, -1)]
    broker.close()
    kept = OutboxMessage.objects.filter(task=task).count()
    return kept + sum(task.encode() in message for message in waiting)
