from collections.abc import Callable
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

import pytest
import redis
from django.conf import settings as django_settings
from django.db import connection
from django.test.utils import CaptureQueriesContext

from config.needs import Feature, Meter
from quotas import ledger, storage
from quotas.meters import EPOCH, METERS
from quotas.models import UsageTotal
from tenants import shares, slots
from tenants.models import Tenant
from tests.client import Api

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]


@pytest.fixture(autouse=True)
def _stall(settings: Any) -> None:
    settings.ROOT_URLCONF = "tests.quotas.stall_urls"


def test_usage_has_the_shape_of_the_contract(
    tenant: Tenant, granted: Granted, now: datetime
) -> None:
    granted(tenant.pk, plan="starter", contacts=5_000, seats=None, api_calls=100)
    ledger.consume(tenant_id=tenant.pk, meter=Meter.CONTACTS, quantity=3, key="import:1", now=now)
    api = Api.signed_in(tenant)
    api.get("/api/v1/things")
    answer = api.get("/api/v1/usage")
    month = datetime.now(UTC).replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    next_month = month.replace(year=month.year + month.month // 12, month=month.month % 12 + 1)
    resets = next_month.isoformat().replace("+00:00", "Z")
    assert [each["meter"] for each in answer["meters"]] == [meter.value for meter in METERS]
    assert answer | {"meters": answer["meters"][:4]} == {
        "plan": "starter",
        "meters": [
            {"meter": "api_calls", "unit": "call", "window": "month", "limit": 100, "used": 1,
             "remaining": 99, "resets_at": resets, "hard": True,
             "billed": False},
            {"meter": "contacts", "unit": "contact", "window": "lifetime", "limit": 5_000, "used": 3,
             "remaining": 4_997, "resets_at": None, "hard": True,
             "billed": False},
            {"meter": "seats", "unit": "seat", "window": "lifetime", "limit": None, "used": 0,
             "remaining": None, "resets_at": None, "hard": True,
             "billed": False},
            {"meter": "campaigns", "unit": "campaign", "window": "month", "limit": 0, "used": 0,
             "remaining": 0, "resets_at": resets, "hard": True,
             "billed": False},
        ],
        "spend_cap": None,
        "shares": [
            {"share": "worker_slots", "unit": "slot", "limit": None, "used": 0},
            {"share": "storage", "unit": "byte", "limit": None, "used": 0},
        ],
    }  # fmt: skip


def test_the_usage_shows_the_shares_and_what_is_used_of_them(acme, globex, api, now):
    shares.scale(
        tenant_id=acme.id, by_hand={"worker_slots": 3, "storage_limit_bytes": 9_000}, now=now
    )
    for tenant, used in ((acme, 1_234), (globex, 77)):
        UsageTotal.objects.create(
            tenant_id=tenant.id, meter=storage.STORAGE_BYTES, period_start=EPOCH, used=used
        )
    with ExitStack() as stack:
        for tenant, holder in ((acme, "a"), (acme, "b"), (globex, "c")):
            stack.enter_context(slots.slot(tenant_id=tenant.id, slots=9, holder=holder))
        answer = api(acme).get("/api/v1/usage")

    assert answer["shares"] == [
        {"share": "worker_slots", "unit": "slot", "limit": 3, "used": 2},
        {"share": "storage", "unit": "byte", "limit": 9_000, "used": 1_234},
    ]
    assert api(acme).get("/api/v1/usage")["shares"][0]["used"] == 0


def test_a_lost_worker_s_slot_is_counted_no_more_once_its_lease_has_run_out(acme):
    server = redis.Redis.from_url(django_settings.REDIS_URL)
    server.zadd(f"plaza:{{{acme.id.hex}}}:slots", {"lost": 1, "held": 9_999_999_999_999})
    assert slots.in_use(acme.id) == 1


def test_without_redis_the_usage_says_that_the_slots_are_not_known(acme, settings):
    settings.REDIS_URL = "redis://127.0.0.1:9/0"
    assert slots.in_use(acme.id) is None


def test_looking_at_the_usage_costs_nothing(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk, api_calls=1)
    api = Api.signed_in(tenant)
    for _ in range(3):
        assert api.get("/api/v1/usage")["meters"][0]["used"] == 0


def test_entitlements_show_what_decides_and_where_it_comes_from(
    tenant: Tenant, granted: Granted, now: datetime
) -> None:
    granted(tenant.pk, plan="free", features=(Feature.CRM,), contacts=500)
    granted(tenant.pk, source="override", plan="", features=(), priority=9, rates={}, contacts=700)
    answer = Api.signed_in(tenant).get("/api/v1/entitlements")
    assert answer == {
        "plan": "free",
        "hold": None,
        "features": ["crm"],
        "limits": {"contacts": 700},
        "rates": {"tenant": {"limit": 600, "seconds": 60}},
        "grants": [
            {"source": "override", "plan": "", "priority": 9, "features": [],
             "limits": {"contacts": 700}, "adds": {}, "rates": {}, "expires_at": None},
            {"source": "plan", "plan": "free", "priority": 0, "features": ["crm"],
             "limits": {"contacts": 500}, "adds": {},
             "rates": {"tenant": {"limit": 600, "seconds": 60}},
             "expires_at": None},
        ],
    }  # fmt: skip


def test_another_tenants_usage_is_not_shown(
    tenant: Tenant, granted: Granted, now: datetime
) -> None:
    other = Tenant.objects.create(
        schema_name="t_other", slug="other-stall", organisation="Other", status="active"
    )
    for each, quantity in ((tenant, 1), (other, 7)):
        granted(each.pk, contacts=10)
        ledger.consume(tenant_id=each.pk, meter=Meter.CONTACTS, quantity=quantity, key="k", now=now)
    meters = Api.signed_in(tenant).get("/api/v1/usage")["meters"]
    assert {each["meter"]: each["used"] for each in meters}["contacts"] == 1


@pytest.mark.parametrize("grants", [1, 3])
@pytest.mark.parametrize(("path", "queries"), [("/api/v1/usage", 4), ("/api/v1/entitlements", 1)])
def test_the_pages_ask_a_fixed_number_of_times(
    tenant: Tenant, granted: Granted, grants: int, path: str, queries: int
) -> None:
    for number in range(grants):
        granted(tenant.pk, source=f"source-{number}", contacts=1)
    api = Api.signed_in(tenant)
    with CaptureQueriesContext(connection) as asked:
        api.get(path)
    assert sum("quotas_" in query["sql"] for query in asked.captured_queries) == queries
