"""Credit by a code: once for each tenant, at once, in its own currency, and taken off what is owed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from billing import books, catalogue
from billing.models import Redemption, Subscription
from billing.money import Money
from billing.refusals import CouponInvalid
from billing.services import amending
from billing.services.coupons import redeem
from billing.services.wishes import Wish
from tests.billing.paying import FEB_28, JAN_31, invoices, paying

pytestmark = pytest.mark.django_db


@pytest.fixture
def hello(monkeypatch):
    """Changes what the catalogue says of HELLO25."""

    def change(**facts) -> None:
        present = catalogue.load()
        credit = {"HELLO25": replace(present.credits["HELLO25"], **facts)}
        monkeypatch.setattr(catalogue, "load", lambda: replace(present, credits=credit))

    return change


def refusal(tenant, code: str = "HELLO25") -> str:
    with pytest.raises(CouponInvalid) as refused:
        redeem(tenant_id=tenant.id, code=code, now=FEB_28)
    return refused.value.facts["reason"]


def test_over_http_credit_is_given_once_however_often_its_code_is_sent(api, globex):
    first = api(globex).post("/api/v1/coupons/redeem", {"code": " hello25"})
    again = api(globex).post("/api/v1/coupons/redeem", {"code": "HELLO25"})

    assert first == again
    assert (first["coupon"], first["periods_left"]) == ("HELLO25", 0)
    assert books.balances(globex.id) == [Money(2_500, "USD")]


def test_credit_is_in_the_currency_that_the_tenant_pays_in_and_the_next_invoice_takes_it_off(acme):
    paying(acme, plan="growth", currency="MXN")
    redeem(tenant_id=acme.id, code="HELLO25", now=JAN_31)

    amending.change(tenant_id=acme.id, wish=Wish(plan="scale"), now=JAN_31 + timedelta(days=14))

    invoice = invoices(acme)[-1]
    # Half of 749,900 less half of 184,900; no discount is a line of it.
    assert (invoice.total_minor, invoice.applied_minor) == (282_500, 46_900)
    assert {line.kind for line in invoice.lines.all()} == {"plan"}
    assert books.balances(acme.id) == []


def test_a_code_that_is_over_or_used_up_gives_nothing(acme, globex, hello):
    hello(most_redemptions=1)
    redeem(tenant_id=globex.id, code="HELLO25", now=FEB_28)
    assert refusal(acme) == "used_up"

    hello(redeem_until=FEB_28)
    assert refusal(acme) == "over"

    hello(redeem_until=None, most_redemptions=None, amounts={"CRC": 1})
    assert refusal(acme) == "other_plan_or_currency"
    assert books.balances(acme.id) == []
    assert Redemption.objects.count() == 1


def test_credit_comes_by_its_own_door_and_not_with_a_change(globex):
    paying(globex)

    with pytest.raises(CouponInvalid) as refused:
        amending.preview(tenant_id=globex.id, wish=Wish(plan="scale", coupon="HELLO25"), now=JAN_31)

    assert refused.value.facts["reason"] == "unknown"
    assert Subscription.objects.get(tenant=globex).plan == "growth"
