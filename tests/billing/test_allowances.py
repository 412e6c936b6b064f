"""What a change in the middle of a period does to allowances, and when a period begins."""

from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest

from billing.models import Subscription
from billing.services import grants
from billing.services.following import _anchored_at
from config.needs import Meter
from quotas import ledger
from quotas.entitlements import snapshot
from quotas.periods import Anchor
from quotas.refusals import QuotaExceeded
from tenants.models import Tenant

pytestmark = pytest.mark.django_db
JAN_31 = datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
MID_MARCH = datetime(2026, 3, 15, tzinfo=UTC)


def put_on(tenant: Tenant, plan: str, *, interval: str = "month", now: datetime) -> None:
    """The plan as a webhook brings it, in a subscription of Jan 31."""
    Subscription.objects.filter(tenant=tenant).update(
        plan=plan, interval=interval, anchored_at=JAN_31
    )
    grants.entitle(tenant_id=tenant.pk, plan=plan, now=now)


def send(tenant: Tenant, quantity: int, key: str, now: datetime = MID_MARCH) -> None:
    ledger.consume(tenant_id=tenant.pk, meter=Meter.EMAILS, quantity=quantity, key=key, now=now)


def emails(tenant: Tenant, now: datetime = MID_MARCH) -> tuple[int, int | None, datetime | None]:
    found = {each.meter: each for each in ledger.usage(tenant_id=tenant.pk, now=now)}[Meter.EMAILS]
    return found.used, found.limit, found.resets_at


def test_an_upgrade_gives_the_whole_new_limit_at_once_and_keeps_what_was_used(globex):
    put_on(globex, "starter", now=MID_MARCH)
    send(globex, 25_000, "all of starter")

    put_on(globex, "growth", now=MID_MARCH)

    assert emails(globex) == (25_000, 250_000, datetime(2026, 3, 31, 9, 30, tzinfo=UTC))
    send(globex, 225_000, "all of growth")
    with pytest.raises(QuotaExceeded):
        send(globex, 1, "one more")


def test_a_downgrade_takes_nothing_away_and_refuses_more_until_the_period_ends(globex):
    put_on(globex, "growth", now=MID_MARCH)
    send(globex, 30_000, "some of growth")

    put_on(globex, "starter", now=MID_MARCH)

    assert emails(globex) == (30_000, 25_000, datetime(2026, 3, 31, 9, 30, tzinfo=UTC))
    with pytest.raises(QuotaExceeded) as refused:
        send(globex, 1, "one more")
    assert refused.value.facts["resets_at"] == "2026-03-31T09:30:00Z"
    send(globex, 25_000, "the next period", datetime(2026, 3, 31, 9, 30, tzinfo=UTC))


def test_there_and_back_renews_nothing(globex):
    put_on(globex, "starter", now=MID_MARCH)
    send(globex, 25_000, "all")

    for plan in ("growth", "free", "starter"):
        put_on(globex, plan, now=MID_MARCH)

    assert emails(globex)[0] == 25_000
    with pytest.raises(QuotaExceeded):
        send(globex, 1, "one more")


def test_a_year_has_twelve_months_of_what_adds_up_and_no_more_at_the_same_time(globex, now):
    put_on(globex, "starter", interval="year", now=now)

    found = snapshot(globex.pk, now=MID_MARCH)

    assert found.anchor == Anchor(JAN_31, "year")
    assert found.limit(Meter.EMAILS) == 12 * 25_000
    assert dict(found.ladder["emails"])["growth"] == 12 * 250_000
    assert found.limit(Meter.VISITORS_AT_ONCE) == 1_000
    assert found.limit(Meter.CAMPAIGNS) == 50
    assert emails(globex)[2] == datetime(2027, 1, 31, 9, 30, tzinfo=UTC)
    assert grants.is_as_catalogued(tenant_id=globex.pk, plan="starter", now=now)


def test_a_trial_s_periods_begin_with_it(globex, now):
    row = Subscription.objects.get(tenant=globex)

    assert row.anchored_at is not None
    assert snapshot(globex.pk, now=now).anchor == Anchor(row.anchored_at)


@pytest.mark.parametrize(
    ("status", "interval", "starts", "expected"),
    [
        # Feb 28 is a period of Jan 31, whose next is Mar 31: the anchor stays.
        ("active", "month", "2026-02-28T09:30", "2026-01-31T09:30"),
        ("active", "month", "2026-03-31T09:30", "2026-01-31T09:30"),
        # The provider begins elsewhere, or by the year: so do we.
        ("active", "month", "2026-03-07T09:30", "2026-03-07T09:30"),
        ("active", "year", "2026-02-28T09:30", "2026-02-28T09:30"),
        ("cancelled", "month", "2026-03-07T09:30", "2026-01-31T09:30"),
    ],
)
def test_the_anchor_stays_while_the_providers_period_fits(
    status: str, interval: str, starts: str, expected: str
) -> None:
    row = Subscription(status=status, interval="month", anchored_at=JAN_31)
    found: Any = SimpleNamespace(
        period_starts_at=datetime.fromisoformat(starts).replace(tzinfo=UTC)
    )

    anchored_at = _anchored_at(row, interval, found)

    assert anchored_at == datetime.fromisoformat(expected).replace(tzinfo=UTC)


def test_what_is_paid_for_begins_with_the_providers_period(shop, api, globex, settle):
    from tests.billing.conftest import pay

    trial = Subscription.objects.get(tenant=globex).anchored_at
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert row.period_starts_at is not None
    assert row.anchored_at == row.period_starts_at
    assert row.anchored_at != trial
