"""A warm request: nothing of PostgreSQL and one round trip of Redis; and what changes holds all the same."""

from collections.abc import Callable, Iterator
from contextlib import closing
from typing import Any
from uuid import UUID

import pytest
import redis
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from config.needs import Role
from quotas import api_calls, ledger
from quotas.models import UsageTotal
from tenants.identity.keys import create_key, revoke_key
from tenants.identity.tokens import revoke_family
from tenants.models import Member, Tenant
from tenants.services import host_of, suspend
from tenants.snapshots import snapshots
from tenants.versions import version_key
from tests.client import Api, member_of
from tests.quotas.conftest import NOON, PrivateValkey

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]
THINGS, BATCH = "/api/v1/things", "/api/v1/things/batch"


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = settings.API_URLCONF = "tests.quotas.stall_urls"


@pytest.fixture
def counted(valkey: PrivateValkey) -> Iterator[Callable[[], dict[str, int]]]:
    """Commands that clients have sent since last asked."""
    with closing(redis.Redis.from_url(valkey.url)) as client:

        def since() -> dict[str, int]:
            found: Any = client.info("commandstats")
            client.config_resetstat()
            inside = {"get", "set", "time", "hmget", "hget", "hset", "hincrby", "zadd", "zcard"}
            inside |= {"zscore", "zrem", "zrangebyscore", "pexpire", "expireat", "hexists", "del"}
            names = {name.removeprefix("cmdstat_"): facts["calls"] for name, facts in found.items()}
            own = {"info", "config|resetstat", "client|setinfo", "hello", "client|setname"}
            return {name: calls for name, calls in names.items() if name not in inside | own}

        yield since


@pytest.fixture
def key(tenant: Tenant) -> str:
    member = member_of(tenant)
    return create_key(tenant_id=tenant.pk, name="bench", scopes=["admin"], created_by_id=member.pk)[
        1
    ]


def by_key(tenant: Tenant, key: str) -> Api:
    return Api(tenant, {"Authorization": f"Api-Key {key}"})


@pytest.mark.parametrize("how", ["token", "key", "api host"])
def test_a_warm_request_asks_postgresql_nothing_and_redis_once(
    tenant: Tenant, granted: Granted, counted: Callable[[], dict[str, int]], key: str,
    how: str, django_assert_num_queries: DjangoAssertNumQueries,
) -> None:  # fmt: skip
    granted(tenant.pk, api_calls=100, rates={"tenant": (600, 60), "credential": (300, 60)})
    api = Api.signed_in(tenant) if how == "token" else by_key(tenant, key)
    if how == "api host":
        api.client = Client(
            headers={"Host": "api.plaza.localhost", "Authorization": f"Api-Key {key}"}
        )
    for _ in range(2):
        api.get(THINGS)
    counted()
    with django_assert_num_queries(0):
        for _ in range(5):
            api.get(THINGS)
    # One awaited question each, and one end of its lease that nobody waits for.
    assert counted() == {"evalsha": 5, "eval": 5}


def test_a_refused_request_asks_postgresql_nothing_either(
    tenant: Tenant,
    granted: Granted,
    counted: Any,
    django_assert_num_queries: DjangoAssertNumQueries,
) -> None:
    granted(tenant.pk, plan="free", api_calls=1)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    api.get(THINGS, status=402)
    with django_assert_num_queries(0):
        api.get(THINGS, status=402)


def changes(key: str) -> dict[str, Callable[[Tenant, Granted], Any]]:
    def members(tenant: Tenant) -> Any:
        return Member.objects.filter(tenant=tenant)

    def revoke(tenant: Tenant) -> None:
        found = tenant.api_keys.get()
        revoke_key(tenant_id=tenant.pk, key_id=found.pk, now=NOON)

    return {
        "tenant_suspended": lambda tenant, _: suspend(tenant_id=tenant.pk, reason="Abuse."),
        "quota_exceeded": lambda tenant, granted: granted(tenant.pk, api_calls=2),
        "feature_not_in_plan": lambda tenant, granted: granted(tenant.pk, features=()),
        "api_key_invalid": lambda tenant, _: revoke(tenant),
        "permission_denied": lambda tenant, _: members(tenant).update(role=Role.READ_ONLY),
        "api_key_invalid by member": lambda tenant, _: members(tenant).get().delete(),
        "api_key_invalid by person": lambda tenant, _: (
            type(members(tenant).get().person)
            .objects.filter(memberships__tenant=tenant)
            .update(is_active=False)
        ),
    }


@pytest.mark.parametrize("code", changes(""))
def test_what_changes_holds_for_the_very_next_request(
    tenant: Tenant, granted: Granted, key: str, code: str
) -> None:
    granted(tenant.pk, api_calls=100)
    api = by_key(tenant, key)
    for _ in range(2):
        api.post(THINGS, status=200)
    changes(key)[code](tenant, granted)
    status = 402 if code == "quota_exceeded" else 403
    assert api.post(THINGS, status=status)["code"] == code.partition(" ")[0]


def test_a_change_by_another_process_is_found_by_the_version_alone(
    tenant: Tenant, granted: Granted, key: str
) -> None:
    """This process is told nothing: its snapshot is as it was, and only Redis says otherwise."""
    granted(tenant.pk, api_calls=100)
    api = by_key(tenant, key)
    api.get(THINGS)
    mine = snapshots.of(tenant.pk)
    assert mine is not None
    suspend(tenant_id=tenant.pk, reason="Abuse.")
    mine.is_spoilt = False
    snapshots.add(mine)
    assert api.get(THINGS)["status"] == 200  # the test's transaction has not published yet
    with closing(redis.Redis.from_url(_url())) as server:
        server.set(version_key(tenant.pk), "pending:of-the-other")
    assert api.get(THINGS, status=403)["code"] == "tenant_suspended"


def _url() -> str:
    from django.conf import settings

    return str(settings.REDIS_URL)


def test_a_token_whose_family_is_revoked_is_refused_though_it_was_known(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=100)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    assert api.member is not None
    family: UUID = api.member.refresh_tokens.get().family
    revoke_family(family=family, now=NOON)
    api.get(THINGS, status=401)


def test_a_batch_costs_its_items_and_a_search_more_than_a_read(
    tenant: Tenant, granted: Granted
) -> None:
    granted(tenant.pk, api_calls=1_000)
    api = Api.signed_in(tenant)
    for path, body, cost in (
        (THINGS, None, 1),
        (f"{THINGS}?search=ada", None, 2),
        (BATCH, {"items": [{}] * 500}, 500),
        (BATCH, {"items": []}, 1),
        (BATCH, {"items": "many"}, 1),
    ):
        before = used(tenant)
        api.post(path, body, status=200) if body else api.get(path)
        assert used(tenant) - before == cost
    refused = api.post(BATCH, {"items": [{}] * 500}, status=402)
    assert (refused["used"], refused["asked"]) == (505, 500)
    assert used(tenant) == 505


def used(tenant: Tenant) -> int:
    api_calls.flush()
    rows = UsageTotal.objects.filter(tenant_id=tenant.pk, meter="api_calls")
    return sum(rows.values_list("used", flat=True))


def test_when_redis_is_away_postgresql_is_asked_each_time_and_a_suspension_holds(
    tenant: Tenant, granted: Granted, valkey: PrivateValkey
) -> None:
    granted(tenant.pk, api_calls=100)
    api = Api.signed_in(tenant)
    api.get(THINGS)
    valkey.kill()
    assert [api.get(THINGS)["status"] for _ in range(3)] == [200] * 3
    assert used(tenant) == 4
    suspend(tenant_id=tenant.pk, reason="Abuse.")
    assert api.get(THINGS, status=403)["code"] == "tenant_suspended"
    assert ledger.remaining(tenant_id=tenant.pk, meter=_calls(), now=NOON) is not None


def _calls() -> Any:
    from config.needs import Meter

    return Meter.API_CALLS


def test_as_many_as_may_are_at_work_at_once(
    tenant: Tenant, granted: Granted, settings: Any
) -> None:
    granted(tenant.pk, api_calls=100, rates={"tenant": (600, 60), "concurrency": (1, 60)})
    api = Api.signed_in(tenant)
    # The view asks the same address again, while it is at work itself.
    inner = api.get(f"{THINGS}/twice")
    assert (inner["inner"], inner["code"]) == (429, "too_many_at_once")
    assert api.get(THINGS)["status"] == 200
    host = host_of(tenant.slug)
    assert host in snapshots.of(tenant.pk).hosts  # type: ignore[union-attr]
