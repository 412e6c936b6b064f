"""PayPal's buyer consents to seats and add-ons: nothing is granted or billed before, or without."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from billing.models import Invoice, Subscription, SubscriptionChange
from billing.services import catalogues
from billing.services.closing import close_due
from billing.services.expiring import expire_consents
from billing.services.moves import move
from billing.services.subscriptions import sync_from_provider
from config.needs import Meter
from quotas.entitlements import snapshot
from tests.billing.collected import obey
from tests.billing.conftest import order
from tests.billing.test_catalogue_versions import newer, released  # noqa: F401
from tests.billing.test_paypal import agree, growth, settle  # noqa: F401 - fixtures

pytestmark = pytest.mark.django_db
SEATS_AND_MAILS = {"seats": 22, "add_ons": {"emails": 1}}
MORE_SEATS = {"seats": 23, "add_ons": {}}


def price(standin: Any) -> str:
    """What each of PayPal's cycles takes."""
    (held,) = standin.merchant.find("subscription")
    cycles = held["_override"].get("billing_cycles")
    return cycles[0]["pricing_scheme"]["fixed_price"]["value"] if cycles else "the plan's"


def changes() -> list[str]:
    return list(SubscriptionChange.objects.order_by("asked_at").values_list("status", flat=True))


def lines() -> list[tuple[str, int]]:
    made = Invoice.objects.filter(kind="change").order_by("number")
    return [(one.kind, one.quantity) for each in made for one in each.lines.order_by("position")]


def limit(tenant: Any) -> int | None:
    return snapshot(tenant.id, now=datetime.now(UTC)).limit(Meter.SEATS)


def ask(api: Any, tenant: Any, wish: dict[str, Any]) -> Any:
    return api(tenant).post("/api/v1/subscription/change", wish, status=200)


def test_seats_and_add_ons_wait_for_the_buyers_consent_and_are_billed_once_with_it(
    growth,  # noqa: F811
    api,
    globex,
    settle,  # noqa: F811
):
    asked = ask(api, globex, SEATS_AND_MAILS)
    # PayPal is asked, and has no consent.
    sync_from_provider(
        provider="paypal", subscription_id=growth.provider_subscription_id, now=datetime.now(UTC)
    )
    told, seats = api(globex).get("/api/v1/subscription"), api(globex).get("/api/v1/seats")

    assert (told["seats"], told["add_ons"], told["pending_plan"]) == (20, {}, None)
    assert (seats["paid"], seats["allowed"], limit(globex), lines()) == (0, 20, 20, [])
    assert told["pending_change"] == seats["pending"]
    assert {key: seats["pending"][key] for key in ("status", *SEATS_AND_MAILS, "consent_url")} == {
        "status": "pending", **SEATS_AND_MAILS, "consent_url": asked["consent_url"],
    }  # fmt: skip

    agree(asked["consent_url"])
    settle()
    settle()
    told = api(globex).get("/api/v1/subscription")
    assert (told["seats"], told["add_ons"], told["pending_change"]) == (22, {"emails": 1}, None)
    assert (limit(globex), lines()) == (22, [("seats", 2), ("add_on", 1)])


def test_more_of_one_and_less_of_another_waits_whole_and_the_less_for_the_periods_end(
    growth,  # noqa: F811
    api,
    globex,
    settle,  # noqa: F811
):
    agree(ask(api, globex, SEATS_AND_MAILS)["consent_url"])
    settle()
    asked = ask(api, globex, MORE_SEATS)
    assert changes() == ["done", "pending"]

    agree(asked["consent_url"])
    settle()
    told = api(globex).get("/api/v1/subscription")
    assert (told["seats"], told["add_ons"]) == (23, {"emails": 1})
    waits = told["pending_change"]
    assert (waits["status"], waits["seats"], waits["add_ons"]) == ("scheduled", 23, {})


@pytest.mark.parametrize("how", ["called off", "run out"])
def test_a_wish_without_consent_ends_and_a_late_consent_grants_nothing(
    growth,  # noqa: F811
    paypal_shop,
    api,
    globex,
    settle,  # noqa: F811
    how,
):
    asked = ask(api, globex, SEATS_AND_MAILS)
    if how == "called off":
        api(globex).post("/api/v1/subscription/resume", status=200)
    else:
        now = datetime.now(UTC)
        assert expire_consents(now=now + timedelta(days=2)) == 0
        assert expire_consents(now=now + timedelta(days=4)) == 1
    assert (changes(), api(globex).get("/api/v1/seats")["pending"]) == (["called_off"], None)

    agree(asked["consent_url"])
    settle()
    assert (price(paypal_shop), limit(globex), lines()) != ("the plan's", 20, [])
    obey(now=datetime.now(UTC))
    assert (price(paypal_shop), limit(globex), lines()) == ("99.00", 20, [])


def test_a_consent_whose_word_was_lost_is_found_before_the_wish_runs_out(
    growth,  # noqa: F811
    paypal_shop,
    api,
    globex,
):
    order(paypal_shop, "faults", kind="lost_webhook", times=9)
    agree(ask(api, globex, SEATS_AND_MAILS)["consent_url"])
    assert limit(globex) == 20

    assert expire_consents(now=datetime.now(UTC) + timedelta(days=4)) == 0
    assert (changes(), limit(globex)) == (["done"], 22)


def test_what_is_carried_waits_while_the_buyer_is_asked(
    growth,  # noqa: F811
    paypal_shop,
    api,
    globex,
):
    from billing.services.entrusting import promise_carry

    agreed_to = ask(api, globex, SEATS_AND_MAILS)["consent_url"]
    promise_carry(tenant_id=globex.id, now=datetime.now(UTC), is_first=True)
    statuses = obey(now=datetime.now(UTC))
    agree(agreed_to)

    assert (statuses[-1], price(paypal_shop)) == ("waiting", "148.00")


def test_the_next_cycles_take_what_is_carried_beside_what_was_consented_to(
    growth,  # noqa: F811
    paypal_shop,
    api,
    globex,
    settle,  # noqa: F811
):
    wish = {"seats": 22, "add_ons": {"emails": 1}}
    quote = api(globex).post("/api/v1/subscription/preview", wish, status=200)
    assert (quote["needs_consent"], quote["at_once"]) == (True, True)
    agree(ask(api, globex, wish)["consent_url"])
    settle()
    # The rest of this period waits for PayPal's next cycle, which takes it once beside the whole.
    rest = Invoice.objects.get(kind="change").amount_due.amount
    obey(now=datetime.now(UTC))
    assert price(paypal_shop) == f"{(14_800 + rest) / 100:.2f}"
    # Fewer seats cost less from the period's end on, and ask nobody.
    less = api(globex).post("/api/v1/subscription/preview", {"seats": 20}, status=200)
    assert (less["needs_consent"], less["at_once"]) == (False, False)


def test_a_move_to_a_newer_catalogue_leaves_a_wish_waiting_for_its_consent(
    growth,  # noqa: F811
    api,
    globex,
    settle,  # noqa: F811
    released,  # noqa: F811
):
    asked, now = ask(api, globex, SEATS_AND_MAILS), datetime.now(UTC)
    catalogues.store(now=now)
    present = newer(plans__growth__prices__month__USD=10_900)
    released(present)
    catalogues.store(now=now)
    move(tenant_id=globex.id, now=now)
    row = Subscription.objects.get(tenant=globex)
    assert row.billed_until is not None
    close_due(now=row.billed_until)

    row.refresh_from_db()
    assert (row.catalogue_version, changes(), limit(globex)) == (
        present["version"],
        ["pending"],
        20,
    )
    agree(asked["consent_url"])
    settle()
    row.refresh_from_db()
    assert (row.catalogue_version, changes(), limit(globex)) == (present["version"], ["done"], 22)


def test_a_guest_for_whom_a_seat_must_be_consented_to_is_refused_with_the_way(
    growth,  # noqa: F811
    api,
    globex,
):
    limit_now = api(globex).get("/api/v1/seats")
    for place in range(limit_now["left"]):
        api(globex).post("/api/v1/seats", {"email": f"guest{place}@ours.test"})

    wish = {"email": "one-more@ours.test", "buy": True}
    refusal = api(globex).post("/api/v1/seats", wish, status=409)

    told = (refusal["code"], refusal["seats"], refusal["change"])
    assert told == ("seat_needs_consent", 21, "/api/v1/subscription/change")
    assert Subscription.objects.get(tenant=globex).changes.count() == 0


def test_paypal_keeps_a_subscriptions_currency_and_says_what_to_do(
    growth,  # noqa: F811
    api,
    globex,
):
    refusals = {
        currency: api(globex).post(
            f"/api/v1/subscription/{way}", {"currency": currency}, status=409
        )
        for currency, way in [("EUR", "preview"), ("CRC", "change")]
    }

    kept, not_taken = refusals["EUR"], refusals["CRC"]
    assert (kept["code"], kept["currency"]) == ("currency_kept", "USD")
    assert kept["checkout"] == "/api/v1/checkout"
    told_ = (not_taken["code"], not_taken["currencies"])
    assert told_ == ("currency_not_taken", ["EUR", "MXN", "USD"])
