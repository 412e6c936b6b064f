"""Preview and change, seats and coupons, cancel and resume: the amounts, when they hold, what is refused."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from billing.models import Invoice, Subscription, SubscriptionChange
from billing.services import amending
from billing.services.closing import close_due
from billing.services.wishes import Wish
from config.errors import DomainError
from config.needs import Meter
from quotas import ledger
from quotas.entitlements import snapshot
from tests.billing.paying import FEB_28, JAN_31, SECOND, invoices, paying, told
from tests.billing.test_at_once import at_once

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


def change(tenant: Any, now: Any, **wish: Any) -> amending.Amended:
    return amending.change(tenant_id=tenant.id, wish=Wish(**wish), now=now)


def code_of(act: Any) -> str:
    with pytest.raises(DomainError) as refusal:
        act()
    return refusal.value.code


WISHES: dict[str, dict[str, Any]] = {
    "a higher plan": {"plan": "scale"},
    "more seats": {"seats": 33},
    "an add-on": {"add_ons": {"emails": 3}},
    "a year": {"interval": "year"},
    "a higher plan for a year, with a coupon": {
        "plan": "scale", "interval": "year", "coupon": "WELCOME20", "seats": 120,
    },
}  # fmt: skip


@pytest.mark.parametrize("name", WISHES)
@pytest.mark.parametrize("days", [0, 3, 17])
def test_a_preview_is_the_invoice_that_follows_and_writes_nothing(globex, name, days):
    paying(globex)
    at = JAN_31 + days * DAY + 7 * SECOND
    wish = Wish(**WISHES[name])

    quote = amending.preview(tenant_id=globex.id, wish=wish, now=at)
    assert (len(invoices(globex)), SubscriptionChange.objects.count()) == (1, 0)
    made = change(globex, at + timedelta(minutes=30), **WISHES[name], quoted_at=at).invoice

    assert (quote.is_at_once, quote.effective_at) == (True, at)
    assert quote.draft is not None
    assert made is not None
    assert told(made)["lines"] == [
        (line.kind, line.quantity, line.amount.amount) for line in quote.draft.lines
    ]
    assert (made.total_minor, made.tax_minor) == (quote.draft.total.amount, quote.draft.tax.amount)
    assert made.total_minor > 0


def test_a_downgrades_preview_is_the_next_periods_invoice(globex):
    paying(globex, plan="scale")
    quote = amending.preview(tenant_id=globex.id, wish=Wish(plan="starter"), now=JAN_31 + DAY)

    made = change(globex, JAN_31 + DAY, plan="starter")
    assert (made.invoice, made.row.plan, made.row.pending_plan) == (None, "scale", "starter")
    close_due(now=FEB_28)

    assert (quote.is_at_once, quote.effective_at) == (False, FEB_28)
    assert quote.draft is not None
    assert told(invoices(globex)[-1])["lines"] == [
        (line.kind, line.quantity, line.amount.amount) for line in quote.draft.lines
    ]
    assert snapshot(globex.id, now=FEB_28).plan == "starter"


def test_a_seat_freed_and_taken_again_in_one_period_bills_once(globex):
    paying(globex)
    change(globex, JAN_31, seats=22)
    for day in range(1, 5):
        change(globex, JAN_31 + day * DAY, seats=20 + day % 2)
        change(globex, JAN_31 + day * DAY + SECOND, seats=22)

    assert [told(invoice)["lines"] for invoice in invoices(globex)] == [
        [("plan", 1, 9_900)],
        [("seats", 2, 2_400)],
    ]
    close_due(now=FEB_28)
    assert told(invoices(globex)[-1])["lines"] == [("plan", 1, 9_900), ("seats", 2, 2_400)]


def test_bought_seats_are_allowed_at_once_and_gone_with_the_period_in_which_they_were_given_up(
    globex,
):
    paying(globex)
    change(globex, JAN_31, seats=22)
    assert snapshot(globex.id, now=JAN_31).limit(Meter.SEATS) == 22

    change(globex, JAN_31 + DAY, seats=20)
    assert snapshot(globex.id, now=JAN_31 + DAY).limit(Meter.SEATS) == 22
    close_due(now=FEB_28)
    assert snapshot(globex.id, now=FEB_28).limit(Meter.SEATS) == 20


def test_a_quote_holds_for_an_hour_of_its_period(globex):
    paying(globex)
    hour = timedelta(hours=1)
    refused = {
        code_of(lambda at=at, now=now: change(globex, now, seats=30, quoted_at=at))
        for at, now in [
            (JAN_31 - SECOND, JAN_31),
            (JAN_31 + SECOND, JAN_31),
            (JAN_31, JAN_31 + hour + SECOND),
            (FEB_28 - SECOND, FEB_28 + SECOND),
        ]
    }

    assert refused == {"quote_outdated"}
    assert change(globex, JAN_31 + hour, seats=30, quoted_at=JAN_31).invoice is not None


def test_no_fewer_seats_than_are_taken_and_no_more_than_are_sold(globex):
    paying(globex)
    change(globex, JAN_31, seats=25)
    ledger.consume(tenant_id=globex.id, meter=Meter.SEATS, quantity=23, key="members", now=JAN_31)

    assert code_of(lambda: change(globex, JAN_31, seats=22)) == "seats_in_use"
    assert code_of(lambda: change(globex, JAN_31, seats=61)) == "seats_not_sold"
    assert code_of(lambda: change(globex, JAN_31, add_ons={"emails": 99})) == "validation_failed"


def test_a_newer_wish_takes_the_place_of_the_one_that_waits_and_resume_calls_it_off(globex):
    paying(globex, plan="scale")
    change(globex, JAN_31, plan="starter")
    change(globex, JAN_31 + DAY, plan="growth")
    assert amending.resume(tenant_id=globex.id, now=JAN_31 + 2 * DAY).row.pending_plan == ""
    assert (
        code_of(lambda: amending.resume(tenant_id=globex.id, now=JAN_31 + 3 * DAY))
        == "subscription_change_not_open"
    )

    close_due(now=FEB_28)
    changes = SubscriptionChange.objects.order_by("pk").values_list("status", flat=True)
    assert list(changes) == ["called_off", "called_off"]
    assert Subscription.objects.get(tenant=globex).plan == "scale"


@pytest.mark.django_db(transaction=True)
def test_many_who_buy_a_seat_at_once_each_find_what_the_other_bought(globex):
    paying(globex)

    answers = at_once(lambda _: str(bool(change(globex, JAN_31, seats=21).invoice)), times=6)

    assert sorted(answers) == ["False"] * 5 + ["True"]
    assert Invoice.objects.count() == 2


def test_over_http_only_owner_and_billing_preview_and_change(api, globex):
    paying(globex, at=timezone.now() - DAY)
    wish = {"seats": 25, "coupon": "welcome20"}
    for role in ("member", "read_only", "editor"):
        for path in ("preview", "change", "cancel", "resume"):
            api(globex, role).post(f"/api/v1/subscription/{path}", wish, status=403)

    quote = api(globex, "billing").post("/api/v1/subscription/preview", wish, status=200)
    shown = api(globex, "billing").post(
        "/api/v1/subscription/change", wish | {"quoted_at": quote["quoted_at"]}, status=200
    )

    made = invoices(globex)[-1]
    assert quote["invoice"]["total"] == {"amount": made.total_minor, "currency": "USD"}
    assert (quote["at_once"], quote["seats"]) == (True, 25)
    assert (shown["plan"], shown["seats"], shown["add_ons"]) == ("growth", 25, {})
    ended = api(globex).post("/api/v1/subscription/cancel", status=200)
    assert (ended["pending_plan"], ended["plan"]) == ("free", "growth")
    assert api(globex).post("/api/v1/subscription/resume", status=200)["pending_plan"] is None


def test_over_http_a_coupon_is_redeemed_once_and_a_wrong_one_is_refused(api, globex):
    paying(globex, at=timezone.now() - DAY)
    first = api(globex).post("/api/v1/coupons/redeem", {"code": "welcome20"})
    again = api(globex).post("/api/v1/coupons/redeem", {"code": "WELCOME20"})

    assert first == again
    assert (first["coupon"], first["periods_left"]) == ("WELCOME20", 3)
    refused = api(globex).post("/api/v1/coupons/redeem", {"code": "NONE"}, status=409)
    assert (refused["code"], refused["reason"]) == ("coupon_invalid", "unknown")


def test_without_payment_a_preview_asks_for_a_checkout(api, globex):
    refused = api(globex).post("/api/v1/subscription/preview", {"plan": "scale"}, status=409)
    assert (refused["code"], refused["plan"]) == ("payment_required", "scale")
