"""What the drills `webhooks` and `reconcile` stand on: two tenants, each with a past at its provider.

Here nothing of that past is known but that somebody has paid for a plan, and the invoices that were issued
since. The rest must come by webhook, or by reconciliation: what happened while the past was made is rolled
back.
"""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import requests
from django.db import connection, transaction
from django.test import override_settings

from billing import books
from billing.books.checking import faults
from billing.models import Account, Invoice, Subscription
from billing.providers import gateway
from billing.providers.base import VerifiedEvent
from billing.services import collecting, inbox, prices, subscriptions, webhooks
from billing.services.changes import Offer, start_checkout
from billing.services.entrusting import promise_entrusting
from config.models import OutboxMessage
from quotas.entitlements import snapshot
from tenants.models import Tenant
from tests.billing.collected import draft, obey
from tests.billing.conftest import pay
from tests.standins.paypal import PayPalStandin
from tests.standins.server import Standin
from tests.standins.stripe import StripeStandin

_PLAN = "starter"
_DAY = 86_400
_LONG = timedelta(days=40)


@dataclass(frozen=True, slots=True)
class Past:
    """One tenant's past: what its provider told, in that order, and the moment after all of it."""

    tenant: Tenant
    provider: str
    events: list[VerifiedEvent]
    now: datetime


@contextmanager
def pasts(stripe_tenant: Tenant, paypal_tenant: Tenant) -> Iterator[list[Past]]:
    """Both providers with a past each, their answers remembered: nothing changes there any more."""
    with ExitStack() as running:
        stripe = running.enter_context(StripeStandin())
        paypal = running.enter_context(PayPalStandin(client_id="us", client_secret="drill"))
        running.enter_context(
            override_settings(
                STRIPE_API_KEY="sk_test_drill", STRIPE_API_BASE=stripe.url,
                STRIPE_WEBHOOK_SECRET="whsec_drill", PAYPAL_CLIENT_ID="us",
                PAYPAL_CLIENT_SECRET="drill", PAYPAL_API_BASE=paypal.url,
                PAYPAL_WEBHOOK_ID="WHDRILL",
            )
        )  # fmt: skip
        made = [_with_stripe(stripe, stripe_tenant), _with_paypal(paypal, paypal_tenant)]
        running.enter_context(_remembered())
        yield made
        # The providers go, and with them whoever paid there: another drill's look would miss them.
        gone = {"provider": "", "provider_subscription_id": "", "provider_customer_id": ""}
        tenants = [stripe_tenant, paypal_tenant]
        Subscription.objects.filter(tenant__in=tenants).update(**gone)


def price_for(provider: str, plan: str = _PLAN) -> None:
    """Let the provider have the plan's price of a month, in USD."""
    account = gateway(provider)
    for difference in prices.differences(account):
        if difference.spec.lookup_key == f"plaza_{plan}_usd_month":
            prices.bring(account, difference)


def _checkout(tenant: Tenant, provider: str) -> str:
    offer = Offer(plan=_PLAN, interval="month", currency="USD", provider=provider)
    return start_checkout(tenant_id=tenant.pk, offer=offer).url


def _issue(tenant: Tenant, key: str, now: datetime, usage: int) -> None:
    kind = Invoice.Kind.PERIOD
    rated = draft(now, usage=usage)
    books.issue(tenant_id=tenant.pk, draft=rated, kind=kind, key=key, now=now)


def _with_stripe(standin: StripeStandin, tenant: Tenant) -> Past:
    """Collected twice (once after a decline), refunded in part, disputed and won; then to end with its period."""
    now = datetime.now(UTC)
    price_for("stripe")
    pay(_checkout(tenant, "stripe"))
    held = standin.account.find("subscription")[0]["id"]
    _begin(tenant, "stripe", held, now)
    _issue(tenant, "first", now, 12_345)
    _issue(tenant, "second", now + timedelta(seconds=1), 777)
    order = partial(_order, standin)
    with transaction.atomic():
        _everything("stripe", now)
        card = standin.account.find("payment_method")[-1]["id"]
        _collect(tenant, "first", now)
        order("cards", payment_method=card, decline="insufficient_funds")
        _collect(tenant, "second", now)
        order("cards", payment_method=card, decline="")
        _collect(tenant, "second", now)
        charge = standin.account.find("charge", lambda one: one["status"] == "succeeded")[-1]["id"]
        requests.post(
            f"{standin.url}/v1/refunds",
            auth=("sk_test_x", ""),
            data={"charge": charge, "amount": "1000"},
            timeout=10,
        ).raise_for_status()
        order("disputes", charge=charge, status="needs_response")
        order("disputes", charge=charge, status="won")
        requests.post(
            f"{standin.url}/v1/subscriptions/{held}",
            auth=("sk_test_x", ""),
            data={"cancel_at_period_end": "true"},
            timeout=10,
        ).raise_for_status()
        transaction.set_rollback(True)
    return Past(tenant, "stripe", _told("stripe", now), now)


def _with_paypal(standin: PayPalStandin, tenant: Tenant) -> Past:
    """Captured, a cycle taken by PayPal itself, and a second capture after it."""
    now = datetime.now(UTC)
    price_for("paypal")
    order = partial(_order, standin)
    order("balances", may_raise=True)
    agreed = requests.post(
        _checkout(tenant, "paypal"), data={"do": "agree"}, timeout=10, allow_redirects=False
    )
    agreed.raise_for_status()
    _begin(tenant, "paypal", standin.merchant.find("subscription")[0]["id"], now)
    _issue(tenant, "first", now, 12_345)
    _issue(tenant, "second", now + timedelta(days=33), 777)
    with transaction.atomic():
        _everything("paypal", now)
        _collect(tenant, "first", now)
        order("clock", advance_seconds=33 * _DAY)
        later = now + timedelta(days=33)
        _everything("paypal", later)
        _collect(tenant, "second", later)
        transaction.set_rollback(True)
    return Past(tenant, "paypal", _told("paypal", later), later)


def _begin(tenant: Tenant, provider: str, held: str, now: datetime) -> None:
    """What was paid at the checkout begins the subscription and pays its first invoice: that is known."""
    subscriptions.sync_from_provider(provider=provider, subscription_id=held, now=now)
    promise_entrusting(tenant_id=tenant.pk, now=now)
    obey(now=now)


def _order(standin: Standin, path: str, /, **asked: Any) -> None:
    requests.post(f"{standin.url}/_standin/{path}", json=asked, timeout=30).raise_for_status()


def _told(provider: str, now: datetime) -> list[VerifiedEvent]:
    kinds = [kind for name, kind in webhooks.HANDLERS if name == provider]
    return gateway(provider).events(kinds=kinds, since=now - _LONG, until=now + _LONG)


def _everything(provider: str, now: datetime) -> None:
    for event in _told(provider, now):
        inbox.keep(event, now=now)
    work(now)


def _collect(tenant: Tenant, key: str, now: datetime) -> None:
    invoice = Invoice.objects.get(tenant_id=tenant.pk, key=key)
    collecting.promise_collection(invoice_id=invoice.pk, now=now)
    obey(now=now)


def work(now: datetime) -> int:
    """Handle whatever the outbox promises of webhooks; how many that were."""
    promised = list(OutboxMessage.objects.filter(task="billing.handle_webhook").order_by("pk"))
    for message in promised:
        webhooks.handle(event_id=message.arguments["event_id"], now=now)
        message.delete()
    return len(promised)


def end_of(past: Past) -> dict[str, Any]:
    """Where it ends: what is paid for, what is granted, each invoice, each account. No moments."""
    with connection.cursor() as cursor:
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # the journal's own checks
        cursor.execute("SET CONSTRAINTS ALL DEFERRED")
    row = Subscription.objects.get(tenant_id=past.tenant.pk)
    invoices = Invoice.objects.filter(tenant_id=past.tenant.pk).order_by("number")
    accounts = Account.objects.filter(tenant_id=past.tenant.pk).exclude(balance_minor=0)
    return {
        "subscription": (row.plan, row.status, row.cancels_at_period_end),
        "granted": snapshot(past.tenant.pk, now=past.now).plan,
        "invoices": [(one.key, one.status, one.amount_due.amount) for one in invoices],
        "accounts": {one.kind: one.balance_minor for one in accounts.order_by("kind")},
        "wrong": [(one.code, one.subject) for one in faults()],
    }


def tried(past: Past, play: Callable[[], None]) -> dict[str, Any]:
    """Where `play` ends, which is then undone."""
    with transaction.atomic():
        play()
        found = end_of(past)
        transaction.set_rollback(True)
    return found


@contextmanager
def _remembered() -> Iterator[None]:
    """Each question of the providers is answered once, and then from memory: nothing changes there."""
    asked: Any = requests.Session.request
    answers: dict[str, Any] = {}

    def request(session: Any, method: str, url: str, *given: Any, **options: Any) -> Any:
        if method.upper() != "GET":
            return asked(session, method, url, *given, **options)
        if url not in answers:
            answers[url] = asked(session, method, url, *given, **options)
        return answers[url]

    setattr(requests.Session, "request", request)  # noqa: B010 - its type is its own
    try:
        yield
    finally:
        setattr(requests.Session, "request", asked)  # noqa: B010
