"""Who buys in the drill `killmoney`, the four journeys, and what is done after a kill."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from django.db import transaction

from billing import providers
from billing.catalogue import FREE
from billing.models import Account, Dunning, Invoice, Payment, ProviderCommand, Subscription
from billing.services import amending, closing, commands, dunning, running, transactions
from billing.services.changes import Offer, start_checkout
from billing.services.entrusting import promise_entrusting
from billing.services.grants import entitle
from billing.services.subscriptions import sync_from_provider
from billing.services.wishes import Wish
from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.entitlements import snapshot
from tenants.models import Tenant
from tests import factories
from tests.billing.conftest import order, pay
from tests.standins.stripe import StripeStandin

_USED = 900_000_000  # tokens, above every plan's allowance
_ROUNDS = 3
_DAY = timedelta(days=1)


@dataclass(slots=True)
class Buyer:
    """A tenant, the moment from which its own clock is reckoned, and its provider."""

    tenant: Tenant
    stripe: StripeStandin
    now: datetime

    @property
    def row(self) -> Subscription:
        return Subscription.objects.get(tenant=self.tenant)


@dataclass(frozen=True, slots=True)
class Journey:
    """What comes `before`, undisturbed, and the `act` in which the kill comes: asked again, it is done once."""

    name: str
    before: Callable[[Buyer], None]
    act: Callable[[Buyer], None]


def made_buyer(stripe: StripeStandin) -> Buyer:
    """A tenant on the free plan."""
    now = datetime.now(UTC)
    tenant = factories.TenantFactory(slug=f"kill-{new_id().hex[-12:]}", status="active")
    Subscription.objects.create(tenant=tenant, plan=FREE, status="active", anchored_at=now)
    entitle(tenant_id=tenant.id, plan=FREE, now=now)
    return Buyer(tenant, stripe, now)


def _nothing(buyer: Buyer) -> None:
    """Nobody did anything before."""


def _check_out(buyer: Buyer) -> None:
    """The page is opened and paid for; its webhook makes us read the subscription; our invoice is settled."""
    if not (bought := _bought(buyer)):
        offer = Offer(plan="starter", interval="month", currency="USD", provider="stripe")
        pay(start_checkout(tenant_id=buyer.tenant.pk, offer=offer).url)
        bought = _bought(buyer)
    sync_from_provider(provider="stripe", subscription_id=bought[0], now=buyer.now)
    promise_entrusting(tenant_id=buyer.tenant.pk, now=buyer.now)
    _hear_of_money(buyer)
    _work(buyer, buyer.now)


def _hear_of_money(buyer: Buyer) -> None:
    """What the webhooks of payments make us read."""
    row = buyer.row
    seen = providers.gateway("stripe").transactions(
        customer_id=row.provider_customer_id, subscription_id=row.provider_subscription_id,
        since=buyer.now - _DAY, until=buyer.now + _DAY,
    )  # fmt: skip
    transactions.take_over(seen, now=buyer.now)


def _work(buyer: Buyer, at: datetime) -> None:
    """Do what is promised of the provider for this one, as a worker would."""
    while due := list(ProviderCommand.objects.due(at).filter(tenant_id=buyer.tenant.pk)):
        for command in due:
            running.run(command_id=command.pk, now=at)


def _bought(buyer: Buyer) -> list[str]:
    """Asked over HTTP: the stand-in lives in the drill's own process, not in the one that is killed."""
    customer = buyer.row.provider_customer_id
    found = providers.gateway("stripe").subscriptions_of(customer) if customer else []
    return [one.id for one in found]


def _change(buyer: Buyer) -> None:
    at = buyer.now + 9 * _DAY
    amending.change(tenant_id=buyer.tenant.pk, wish=Wish(seats=9), now=at)
    _work(buyer, at)


def _use(buyer: Buyer) -> None:
    _check_out(buyer)
    with transaction.atomic():
        ledger.consume(
            tenant_id=buyer.tenant.pk, meter=Meter.TOKENS, quantity=_USED, key="much",
            now=buyer.now + _DAY,
        )  # fmt: skip


def _close(buyer: Buyer) -> None:
    over = buyer.now + 32 * _DAY  # past the end of the longest month, before that of the next
    closing.close(subscription_id=buyer.row.pk, now=over)
    _work(buyer, over)


def _fail(buyer: Buyer) -> None:
    """The period's end cannot be collected; then the card works again."""
    _use(buyer)
    (card,) = _cards(buyer)
    order(buyer.stripe, "cards", payment_method=card, decline="insufficient_funds")
    _close(buyer)
    order(buyer.stripe, "cards", payment_method=card, decline="")


def _cards(buyer: Buyer) -> list[str]:
    customer = buyer.row.provider_customer_id
    rows = buyer.stripe.account.find("payment_method", lambda one: one["customer"] == customer)
    return [str(one["id"]) for one in rows]


def _dun(buyer: Buyer) -> None:
    at = buyer.now + 34 * _DAY
    dunning.take_step(subscription_id=buyer.row.pk, now=at)
    _work(buyer, at)


JOURNEYS = (
    Journey("checkout", _nothing, _check_out),
    Journey("change", _check_out, _change),
    Journey("close", _use, _close),
    Journey("dun", _fail, _dun),
)


def recover(journey: Journey, buyer: Buyer) -> None:
    """Whoever asked asks again, and the clock tries what is promised and not done, once its lease is over."""
    journey.act(buyer)
    for turn in range(1, _ROUNDS + 1):
        _work(buyer, buyer.now + 34 * _DAY + turn * 2 * commands.LEASE)


def end_of(buyer: Buyer) -> dict[str, object]:
    """What money could see, here and at the provider. No ids, numbers or moments."""
    row, tenant_id = buyer.row, buyer.tenant.pk
    invoices = Invoice.objects.filter(tenant_id=tenant_id).order_by("issued_at", "pk")
    accounts = Account.objects.filter(tenant_id=tenant_id).exclude(balance_minor=0)
    payments = Payment.objects.filter(tenant_id=tenant_id).order_by("received_at", "amount_minor")
    promised = ProviderCommand.objects.filter(tenant_id=tenant_id).exclude(status="done")
    # What is mirrored moves no money, and Stripe's clock is behind the drill's: it refuses the moment.
    promised = promised.exclude(kind="mirror")
    charged = buyer.stripe.account.find(
        "charge",
        lambda one: one["customer"] == row.provider_customer_id and one["status"] == "succeeded",
    )
    return {
        "subscription": (row.plan, str(row.status), row.pending_plan),
        "granted": snapshot(tenant_id, now=buyer.now).plan,
        "invoices": [
            (one.kind, one.status, one.total_minor, one.lines.count()) for one in invoices
        ],
        "accounts": {one.kind: one.balance_minor for one in accounts.order_by("kind")},
        "payments": [one.amount_minor for one in payments],
        "charges": sorted(int(one["amount"]) for one in charged),
        "dunning": list(
            Dunning.objects.filter(subscription=row).values_list("steps_done", "is_given_up")
        ),
        "waiting": [(one.kind, one.status) for one in promised],
    }
