"""`manage.py plans sync`: the differences first, then the providers and the tenants as the catalogue says."""

import copy
import io
import json
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from billing import catalogue
from billing.catalogue.reading import read
from billing.models import ProviderPrice, Subscription
from billing.providers import gateway
from billing.services import prices
from billing.services.prices import UnknownPrice
from config.needs import Meter
from quotas.entitlements import snapshot
from tests.billing.conftest import pay

pytestmark = pytest.mark.django_db


def sync(**options: Any) -> str:
    out = io.StringIO()
    call_command("plans", "sync", stdout=out, **options)
    return out.getvalue()


@pytest.fixture
def dearer(monkeypatch: pytest.MonkeyPatch) -> None:
    """The next version of the catalogue: growth costs 10 dollars more, and has 60,000 contacts."""
    newer = copy.deepcopy(catalogue.contents())
    newer["version"] += 1
    newer["plans"]["growth"]["limits"]["contacts"] = 60_000
    newer["plans"]["growth"]["prices"]["month"]["USD"] = 10_900
    monkeypatch.setattr(catalogue, "contents", lambda: newer)
    monkeypatch.setattr(catalogue, "load", lambda: read(newer))


def test_a_first_sync_makes_every_price_and_shows_each(stripe):
    said = sync(yes=True).splitlines()

    assert said[0] == "stripe: starter by the month: new 2900 USD (minor units)"
    assert said[-1] == f"Version {catalogue.version()}: 32 prices changed, 0 tenants granted anew."
    assert ProviderPrice.objects.filter(is_current=True).count() == 32
    made = {price["lookup_key"]: price for price in stripe.account.find("price")}
    assert len(made) == 32
    assert made["plaza_growth_mxn_year"]["unit_amount"] == 1_849_000
    assert {product["id"] for product in stripe.account.find("product")} == {
        "plaza_starter",
        "plaza_growth",
        "plaza_scale",
        "plaza_enterprise",
    }


def test_a_second_sync_finds_nothing_to_do(shop):
    made = len(shop.account.find("price"))

    assert sync() == f"Version {catalogue.version()}: 0 prices changed, 0 tenants granted anew.\n"
    assert len(shop.account.find("price")) == made


def test_prices_that_were_made_and_not_noted_are_found_again(shop):
    """A kill between the provider's answer and our row."""
    before = set(ProviderPrice.objects.values_list("price_id", flat=True))
    ProviderPrice.objects.all().delete()

    sync()

    assert set(ProviderPrice.objects.values_list("price_id", flat=True)) == before


def test_nothing_is_changed_without_consent(stripe):
    with pytest.raises(CommandError, match="--yes"):
        sync()

    assert stripe.account.find("price") == []
    assert not ProviderPrice.objects.exists()


def test_the_report_as_json_names_each_change(stripe):
    results = json.loads(sync(yes=True, json=True))["results"]

    assert results[0] == {
        "provider": "stripe",
        "plan": "starter",
        "interval": "month",
        "currency": "USD",
        "before": None,
        "after": 2_900,
    }
    assert results[-1] == {"version": catalogue.version(), "changed": 32, "regranted": 0}


def test_a_dearer_plan_is_for_new_subscribers_and_old_ones_keep_price_and_plan(
    shop, api, globex, settle, dearer
):
    pay(api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"])
    settle()

    said = sync(yes=True)

    assert "stripe: growth by the month: 9900 -> 10900 USD (minor units)" in said
    current = prices.current_price(
        provider="stripe", plan="growth", currency="USD", interval="month"
    )
    assert current.amount_minor == 10_900
    row = Subscription.objects.get(tenant=globex)
    held = gateway("stripe").subscription(row.provider_subscription_id)
    old = prices.price_of(provider="stripe", price_id=held.price_id)
    assert (old.plan, old.amount_minor, old.is_current) == ("growth", 9_900, False)


def test_a_sync_grants_anew_where_the_plan_changed_and_nowhere_else(
    shop, acme, globex, now, dearer
):
    said = sync(yes=True)

    assert said.endswith(
        "1 prices changed, 2 tenants granted anew.\n"
    )  # ladders name the limit too
    assert snapshot(acme.id, now=now).limit(Meter.CONTACTS) == 60_000
    assert snapshot(globex.id, now=now).limit(Meter.CONTACTS) == 5_000
    assert sync(yes=True).endswith("0 prices changed, 0 tenants granted anew.\n")


def test_a_provider_that_is_down_stops_the_sync_with_its_name(stripe, control):
    control("faults", kind="error", times=20, path="/v1/prices")

    with pytest.raises(CommandError, match="stripe: "):
        sync(yes=True)


def test_without_a_provider_the_tenants_are_granted_all_the_same(settings, acme):
    settings.STRIPE_API_KEY = settings.PAYPAL_CLIENT_ID = ""

    assert sync() == f"Version {catalogue.version()}: 0 prices changed, 0 tenants granted anew.\n"


def test_a_price_that_is_nobodys_is_an_unknown_price(shop):
    with pytest.raises(UnknownPrice, match="stripe price_x"):
        prices.price_of(provider="stripe", price_id="price_x")
