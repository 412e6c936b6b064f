"""Buying: checkout, payment, webhook, and the very next request has the plan."""

from typing import Any

import pytest

from billing.models import ProviderPrice, Subscription, WebhookEvent
from quotas.entitlements import snapshot
from tenants.services import suspend
from tests.billing.conftest import pay

pytestmark = pytest.mark.django_db
HOST = "http://globex.plaza.localhost:8000"


def bought(api: Any, tenant: Any, settle: Any, plan: str = "growth", **wish: Any) -> Subscription:
    """Check out, pay, and take in what the provider says."""
    pay(api(tenant).post("/api/v1/checkout", {"plan": plan, **wish})["url"])
    settle()
    return Subscription.objects.get(tenant=tenant)


def test_a_paid_checkout_upgrades_the_tenant_for_the_very_next_request(
    shop, api, globex, settle, now
):
    checkout = api(globex).post("/api/v1/checkout", {"plan": "growth"})
    assert snapshot(globex.id, now=now).plan == "starter"

    sent_to = pay(checkout["url"])
    settle()

    assert sent_to == f"{HOST}/"
    assert api(globex).get("/api/v1/usage")["plan"] == "growth"
    shown = api(globex).get("/api/v1/subscription")
    assert {name: shown[name] for name in ("plan", "status", "provider", "pending_plan")} == {
        "plan": "growth",
        "status": "active",
        "provider": "stripe",
        "pending_plan": None,
    }
    assert shown["period_ends_at"] > shown["period_starts_at"]
    done = WebhookEvent.objects.filter(status="done")
    assert {event.tenant_id for event in done} == {globex.id}


def test_a_checkout_names_the_tenant_and_its_owner_at_the_provider(shop, api, globex):
    api(globex).post("/api/v1/checkout", {"plan": "growth"})

    customer = shop.account.find("customer")[0]
    assert customer["email"] == "owner@globex.test"
    assert customer["metadata"] == {"tenant_id": str(globex.id)}
    session = shop.account.find("checkout.session")[0]
    assert session["client_reference_id"] == str(globex.id)
    assert Subscription.objects.get(tenant=globex).provider_customer_id == customer["id"]


def test_checking_out_twice_makes_one_customer(shop, api, globex):
    for plan in ("growth", "scale"):
        api(globex).post("/api/v1/checkout", {"plan": plan})

    assert len(shop.account.find("customer")) == 1


def test_interval_and_currency_choose_the_price(shop, api, globex, settle):
    row = bought(api, globex, settle, interval="year", currency="CRC")

    assert (row.plan, row.interval, row.currency) == ("growth", "year", "CRC")
    session = shop.account.find("checkout.session")[0]
    assert (session["amount_total"], session["currency"]) == (49_900_000, "crc")


def test_an_abandoned_checkout_changes_nothing(shop, api, globex, settle, control):
    api(globex).post("/api/v1/checkout", {"plan": "growth"})
    control("clock", advance_seconds=2 * 86_400)
    settle()

    row = Subscription.objects.get(tenant=globex)
    assert (row.plan, row.status) == ("starter", "trialing")


def test_who_is_subscribed_is_sent_to_change_instead(shop, api, globex, settle):
    bought(api, globex, settle)

    refused = api(globex).post("/api/v1/checkout", {"plan": "scale"}, status=409)

    assert refused["code"] == "already_subscribed"
    assert refused["change"] == "/api/v1/subscription/change"


@pytest.mark.parametrize(
    ("wish", "code"),
    [
        ({"plan": "free"}, "plan_not_for_sale"),
        ({"plan": "growth", "provider": "paypal"}, "payment_provider_not_configured"),
    ],
)
def test_what_cannot_be_bought_is_refused(shop, api, globex, wish, code):
    assert api(globex).post("/api/v1/checkout", wish, status=409)["code"] == code


@pytest.mark.parametrize(
    ("field", "value"),
    [("plan", "platinum"), ("currency", "XXX"), ("interval", "week"), ("provider", "cash")],
)
def test_a_wrong_wish_is_told_by_field(shop, api, globex, field, value):
    wish = {"plan": "growth", field: value}

    assert api(globex).post("/api/v1/checkout", wish, status=400)["errors"].keys() == {field}


def test_before_the_prices_are_synced_nothing_is_for_sale(stripe, api, globex):
    refused = api(globex).post("/api/v1/checkout", {"plan": "growth"}, status=409)

    assert refused["code"] == "plan_not_for_sale"
    assert not ProviderPrice.objects.exists()


def test_a_return_address_on_the_own_host_is_kept(shop, api, globex):
    wish = {"plan": "growth", "success_url": f"{HOST}/billing?thanks=1"}

    url = api(globex).post("/api/v1/checkout", wish)["url"]

    assert pay(url) == f"{HOST}/billing?thanks=1"


@pytest.mark.parametrize(
    "address",
    [
        "http://evil.test/",
        "//evil.test/",
        "/billing",
        "https://globex.plaza.localhost:8000/",
        "http://acme.plaza.localhost:8000/",
        "http://globex.plaza.localhost:8001/",
        f"{HOST}@evil.test/",
        f"{HOST}.evil.test/",
        "http://evil.test\\@globex.plaza.localhost:8000/",
        f"{HOST}\\@evil.test/",
        f"{HOST}/\r\nX: y",
        f" {HOST}/",
        "javascript:alert(1)",
        "http://[",
    ],
)
@pytest.mark.parametrize(
    ("path", "field"), [("checkout", "success_url"), ("billing-portal", "return_url")]
)
def test_a_return_address_elsewhere_is_refused(api, globex, path, field, address):
    wish = {"plan": "growth", field: address}

    refused = api(globex).post(f"/api/v1/{path}", wish, status=400)

    assert refused["errors"].keys() == {field}


@pytest.mark.parametrize("role", ["owner", "admin", "billing"])
def test_who_looks_after_the_money_may_buy(shop, api, globex, role):
    assert api(globex, role).post("/api/v1/checkout", {"plan": "growth"})["url"]


@pytest.mark.parametrize("role", ["editor", "member", "read_only"])
def test_others_see_the_subscription_and_may_not_buy(api, globex, role):
    client = api(globex, role)

    assert client.get("/api/v1/subscription")["plan"] == "starter"
    for path in ("checkout", "billing-portal", "subscription/change"):
        client.post(f"/api/v1/{path}", {"plan": "growth"}, status=403)


def test_the_portal_is_offered_once_there_is_an_account(shop, api, globex, settle):
    missing = api(globex).post("/api/v1/billing-portal", status=409)
    bought(api, globex, settle)

    portal = api(globex).post("/api/v1/billing-portal")

    assert missing["code"] == "payment_account_missing"
    assert portal["url"].startswith(shop.url)


def test_a_provider_that_is_down_is_said_and_changes_nothing(shop, api, globex, control):
    control("faults", kind="error", times=20, path="/v1/")

    refused = api(globex).post("/api/v1/checkout", {"plan": "growth"}, status=503)

    assert refused["code"] == "payment_provider_unavailable"
    assert Subscription.objects.get(tenant=globex).provider_customer_id == ""


def test_an_answer_lost_after_the_customer_was_made_makes_no_second_customer(
    shop, api, globex, control
):
    control("faults", kind="lost_answer", path="/v1/customers", method="POST")

    api(globex).post("/api/v1/checkout", {"plan": "growth"})

    assert len(shop.account.find("customer")) == 1


def test_one_tenants_payment_gives_another_nothing(shop, api, acme, globex, settle, now):
    bought(api, globex, settle, plan="scale")

    assert snapshot(globex.id, now=now).plan == "scale"
    assert snapshot(acme.id, now=now).plan == "growth"


def test_a_suspended_tenant_still_reaches_its_subscription(api, globex):
    suspend(tenant_id=globex.id, reason="Terms")

    assert api(globex).get("/api/v1/subscription")["plan"] == "starter"
