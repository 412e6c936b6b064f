"""A closed tenant buys nothing more; what was begun before and paid after is ended again."""

import pytest

from billing.models import Subscription
from billing.refusals import StillCollected
from billing.services import offboarding
from billing.tasks import end_charges
from config.models import OutboxMessage
from tenants.models import Tenant
from tests.billing.conftest import pay
from tests.billing.test_checkout import bought

pytestmark = pytest.mark.django_db


@pytest.fixture
def closed(globex, now):
    """`closed()`: globex, closed by its owner."""
    return lambda: offboarding.close(tenant_id=globex.id, reason="Over.", by="test", now=now)


def test_nothing_is_bought_for_a_closed_tenant(shop, api, globex, closed):
    client = api(globex)
    row = closed()

    refusals = [
        client.post("/api/v1/checkout", {"plan": "growth"}, status=403),
        client.post("/api/v1/subscription/change", {"plan": "growth"}, status=403),
        client.post("/api/v1/domains", {"domain": "shop.example.com"}, status=403),
        client.post("/api/v1/api-keys", {"name": "k", "scopes": ["read"]}, status=403),
    ]

    assert {refusal["code"] for refusal in refusals} == {"tenant_closing"}
    told = {(refusal["reason"], refusal["erase_after"][:19]) for refusal in refusals}
    assert told == {("Over.", row.erase_after.isoformat()[:19])}
    assert shop.account.find("checkout.session") == []


def test_what_ends_or_explains_stays_open_to_a_closed_tenant(shop, api, globex, settle, closed):
    client = api(globex)
    bought(api, globex, settle)
    closed()

    assert client.post("/api/v1/subscription/change", {"plan": "free"}, status=200)
    assert client.post("/api/v1/billing-portal", {}, status=201)["url"]
    assert client.get("/api/v1/subscription")["pending_plan"] == "free"
    assert client.get("/api/v1/usage")["plan"] == "growth"


def test_a_checkout_that_was_paid_after_the_closing_is_ended_with_its_period(
    shop, api, globex, settle, closed, now
):
    page = api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"]
    closed()
    pay(page)
    settle()
    promised = OutboxMessage.objects.filter(task="billing.end_charges")
    assert {str(message.arguments) for message in promised} == {f"{{'tenant_id': '{globex.id}'}}"}
    end_charges(tenant_id=str(globex.id))

    row = Subscription.objects.get(tenant=globex)
    (subscription,) = shop.account.find("subscription")
    assert (row.status, row.plan, row.pending_plan) == ("active", "growth", "free")
    assert subscription["cancel_at_period_end"] is True

    settle()
    assert offboarding.is_charged_in_vain(globex.id) is False
    Subscription.objects.filter(tenant=globex).update(cancels_at_period_end=False, pending_plan="")
    assert offboarding.is_charged_in_vain(globex.id) is True
    with pytest.raises(StillCollected):
        offboarding.erase(tenant_id=globex.id, now=now, tell=print)


def test_a_restored_tenant_buys_again(shop, api, globex, closed):
    closed()
    Tenant.objects.filter(pk=globex.pk).update(status="active", erase_after=None)

    assert api(globex).post("/api/v1/checkout", {"plan": "growth"})["url"]
