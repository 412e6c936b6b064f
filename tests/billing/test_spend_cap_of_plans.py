"""A plan's prices against a tenant's cap: what was let in is what the invoice charges, and never above the cap."""

import random
from datetime import datetime, timedelta
from typing import Any

import pytest

from billing.services.amending import change
from billing.services.closing import close_due
from billing.services.wishes import Wish
from config.needs import Meter
from quotas import ledger
from quotas.caps.services import cap_spending
from quotas.caps.standing import spending
from quotas.entitlements import snapshot
from quotas.merging import Cap
from quotas.refusals import QuotaExceeded, SpendCapReached
from tenants.models import Tenant
from tests.billing.paying import FEB_28, JAN_31, invoices, paying, use

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)
SIZES = {Meter.EMAILS: 9_000, Meter.SMS: 200, Meter.TOKENS: 700_000, Meter.VALIDATIONS: 1_500}


def cap(tenant: Tenant, amount: int, unit: str = "USD") -> None:
    cap_spending(tenant_id=tenant.id, cap=Cap(amount, unit), by="", now=JAN_31)


def work(tenant: Tenant, *, at: datetime, seed: int, events: int = 60) -> int:
    """Take units of several meters at random; how many times the cap refused."""
    chance, refused = random.Random(seed), 0
    for number in range(events):
        meter = chance.choice(list(SIZES))
        try:
            use(tenant, chance.randint(1, SIZES[meter]), at=at, key=f"{at}:{number}", meter=meter)
        except SpendCapReached:
            refused += 1
    return refused


def spent(tenant: Tenant, at: datetime) -> int:
    return spending(tenant.id, snapshot(tenant.id, now=at), now=at).spent


def charged(tenant: Tenant) -> int:
    """All that invoices charge for use, in minor units."""
    lines: list[Any] = [line for each in invoices(tenant) for line in each.lines.all()]
    return sum(line.amount_minor for line in lines if line.kind == "usage")


@pytest.mark.parametrize("currency", ["USD", "MXN"])
def test_the_invoice_charges_what_was_spent_and_never_more_than_the_cap(
    globex: Tenant, currency: str
) -> None:
    most = {"USD": 4_000, "MXN": 74_000}[currency]
    paying(globex, plan="starter", currency=currency)
    cap(globex, most, currency)

    refused = work(globex, at=JAN_31 + DAY, seed=7)

    assert refused > 0
    assert most * 0.8 < spent(globex, JAN_31 + DAY) <= most
    before = spent(globex, JAN_31 + DAY)
    close_due(now=FEB_28)
    assert charged(globex) == before


def test_an_upgrade_within_the_period_keeps_what_was_spent_before_it(globex: Tenant) -> None:
    paying(globex, plan="starter")
    cap(globex, 6_000)
    assert work(globex, at=JAN_31 + DAY, seed=3, events=30) == 0
    before = spent(globex, JAN_31 + DAY)

    change(tenant_id=globex.id, wish=Wish(plan="growth"), now=JAN_31 + 2 * DAY)

    assert 0 < spent(globex, JAN_31 + 2 * DAY) == before
    for seed in range(4, 30):
        if work(globex, at=JAN_31 + seed * DAY / 2, seed=seed) > 20:
            break
    after = spent(globex, JAN_31 + 20 * DAY)
    assert before < after <= 6_000
    close_due(now=FEB_28)
    assert charged(globex) == after


def test_what_is_free_or_on_trial_stops_at_its_limits(globex: Tenant) -> None:
    now = snapshot(globex.id, now=JAN_31)
    limit = now.limit(Meter.SMS) or 0
    assert (now.plan, now.weights) == ("starter", {})
    use(globex, limit, at=JAN_31, key="all", meter=Meter.SMS)
    with pytest.raises(QuotaExceeded):
        use(globex, 1, at=JAN_31, key="more", meter=Meter.SMS)


def test_a_paid_plan_without_a_cap_goes_on_and_shows_what_it_costs(globex: Tenant) -> None:
    paying(globex, plan="starter")
    use(globex, 510, at=JAN_31, key="sms", meter=Meter.SMS)
    shown = {each.meter: each for each in ledger.usage(tenant_id=globex.id, now=JAN_31)}
    assert (shown[Meter.SMS].hard, shown[Meter.SMS].is_billed) == (False, True)
    assert spent(globex, JAN_31) == 10 * 5
