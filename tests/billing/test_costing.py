"""What was used and what it costs us, shared out; and what is left of the revenue."""

from datetime import UTC, datetime
from uuid import UUID

import pytest

from billing import books
from billing.books.costing import allocated, by_plan, margins
from billing.models import Invoice
from billing.money import Money
from billing.rating.lines import Draft, Line, LineKind
from tests.billing.books import BEGIN, END, issued, paid, usd
from tests.factories import UsageEventFactory

pytestmark = pytest.mark.django_db
SUMMER = UUID("01900000-0000-7000-8000-000000005a5a")
IN, OUT = datetime(2026, 10, 15, tzinfo=UTC), datetime(2026, 11, 1, tzinfo=UTC)


def use(tenant, meter: str, units: int, *, kind="consumed", at=IN, key="", **properties):
    UsageEventFactory(
        tenant_id=tenant.pk, meter=meter, quantity=units, kind=kind, recorded_at=at, occurred_at=at,
        period_start=BEGIN, properties=properties or None, **({"key": key} if key else {}),
    )  # fmt: skip


def shares(tenant, by: str) -> list[tuple[str, str, int, int]]:
    found = allocated(tenant_id=tenant.pk, by=by, currency="USD", starts_at=BEGIN, ends_at=END)
    return [(one.label, one.meter, one.units, one.cost.amount) for one in found]


def test_use_and_cost_are_shared_out_by_app_member_key_and_campaign(acme, globex):
    use(acme, "emails", 50_000, member="ana", campaign=str(SUMMER))
    use(acme, "emails", 10_000, kind="refunded", member="ana", campaign=str(SUMMER))
    use(acme, "emails", -5_000, kind="corrected", member="ana")
    use(acme, "sms", 100, api_key="k1", app="portal")
    use(acme, "campaigns", 1, key=f"campaign:{SUMMER}")
    use(acme, "emails", 7, at=OUT)
    use(globex, "emails", 9)

    assert shares(acme, "app") == [
        ("campaigns", "campaigns", 1, 0),
        ("campaigns", "emails", 35_000, 350),
        ("portal", "sms", 100, 79),
    ]
    assert shares(acme, "member") == [
        ("", "campaigns", 1, 0),
        ("", "sms", 100, 79),
        ("ana", "emails", 35_000, 350),
    ]
    assert shares(acme, "api_key") == [
        ("", "campaigns", 1, 0),
        ("", "emails", 35_000, 350),
        ("k1", "sms", 100, 79),
    ]
    assert shares(acme, "campaign") == [
        ("", "emails", -5_000, -50),
        ("", "sms", 100, 79),
        (str(SUMMER), "campaigns", 1, 0),
        (str(SUMMER), "emails", 40_000, 400),
    ]


def test_a_margin_is_revenue_less_fees_gifts_and_cost_in_each_currency_by_itself(acme, globex):
    paid(issued(acme, IN, 10_000, tax=1_600), 11_600, IN, fee=366)
    books.grant_credit(tenant_id=acme.pk, amount=usd(500), note="", by="op", key="a", now=IN)
    pesos = Line(LineKind.PLAN, "growth", 1, Money(90_000, "MXN"), BEGIN, END)
    books.issue(
        tenant_id=acme.pk, draft=Draft("MXN", (pesos,)), kind=Invoice.Kind.CHANGE, key="m", now=OUT
    )
    use(acme, "sms", 1_000)
    use(globex, "images", 3)

    found = margins(starts_at=BEGIN, ends_at=END)

    assert {one.tenant_id: (one.revenue, one.fees, one.cost, one.left) for one in found} == {
        acme.pk: (usd(10_000), usd(866), usd(790), usd(8_344)),
        globex.pk: (usd(0), usd(0), usd(12), usd(-12)),
    }
    assert {key: one.left for key, one in by_plan(found).items()} == {
        ("growth", "USD"): usd(8_344),
        ("starter", "USD"): usd(-12),
    }
