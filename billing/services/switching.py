"""Another currency at the provider. A subscription there keeps its own for life, so another takes its place.

Ours changes it when its period ends: the use is billed in the old currency, the next period in the new
one. Only then the provider hears of it, by a command: it ends what it has, and begins one in the new
currency that takes nothing by itself. What it says of the old one meanwhile means nothing any more.

- Credit stays in the currency in which it was given: it pays what is still billed in that one, is shown
  at `/credits`, and can be refunded; nothing is converted.
- A coupon of a percent goes on; one of an amount takes off what it says in the new currency, or nothing.
- A spend cap stays in its currency, and lets nothing above the included happen until it is set anew.
"""

from datetime import datetime, timedelta

from django.db import transaction

from billing import providers
from billing.models import ProviderCommand, Subscription
from billing.providers.base import ProviderNotYet
from billing.rating.terms import Terms
from billing.refusals import CurrencyKept, CurrencyNotTaken
from billing.services import commands
from billing.services.entrusting import promise_entrusting
from billing.services.prices import current_price
from config.logs import logger

log = logger(__name__)
Kind, Status = ProviderCommand.Kind, ProviderCommand.Status
_PAUSE = timedelta(minutes=10)


def refuse_unsold(row: Subscription, terms: Terms) -> None:
    """Raise CurrencyNotTaken, CurrencyKept or PlanNotForSale unless the provider can come to collect these."""
    if not row.is_collected:
        return
    gateway = providers.gateway(row.provider)
    if terms.currency not in gateway.currencies:
        taken = sorted(gateway.currencies)
        raise CurrencyNotTaken(provider=row.provider, currency=terms.currency, currencies=taken)
    if not gateway.changes_currency:
        raise CurrencyKept(
            provider=row.provider, currency=row.currency, checkout="/api/v1/checkout"
        )
    current_price(
        provider=row.provider, plan=terms.plan, currency=terms.currency, interval=terms.interval
    )


def promise(row: Subscription, *, now: datetime) -> None:
    """Have the provider collect in the row's new currency, in the transaction that closes the period."""
    if row.is_collected:
        commands.promise(
            tenant_id=row.tenant_id,
            provider=row.provider,
            kind=Kind.SWITCH,
            subject_id=row.pk,
            now=now,
            arguments={"subscription_id": row.provider_subscription_id},
        )


def is_under_way(row: Subscription, subscription_id: str) -> bool:
    """Whether this subscription of the provider's is still to be replaced."""
    asked = ProviderCommand.objects.filter(tenant_id=row.tenant_id, kind=Kind.SWITCH)
    return (
        asked.filter(arguments__subscription_id=subscription_id)
        .exclude(status=Status.DONE)
        .exists()
    )


def refuse_meanwhile(row: Subscription, *, now: datetime) -> None:
    """Raise ProviderNotYet while what the provider has is about to be replaced."""
    if is_under_way(row, row.provider_subscription_id):
        raise ProviderNotYet(provider=row.provider, until=now + _PAUSE)


def switch(command: ProviderCommand, now: datetime) -> str:
    """Let one in the row's currency take the old one's place. Harmless twice, and after any cut."""
    row = Subscription.objects.get(tenant_id=command.tenant_id)
    old = command.arguments["subscription_id"]
    if row.provider_subscription_id != old or not row.is_collected or row.billed_until is None:
        return "nothing to switch"
    if row.billed_until <= now:
        raise ProviderNotYet(provider=row.provider, until=now + _PAUSE)  # first its period closes
    price = current_price(
        provider=row.provider, plan=row.plan, currency=row.currency, interval=row.interval
    )
    new = providers.gateway(row.provider).replace(
        subscription_id=old,
        price_id=price.price_id,
        renews_at=row.billed_until,
        key=str(command.pk),
    )
    _keep(command, old, new, now)
    return f"switched to {row.currency}"


@transaction.atomic
def _keep(command: ProviderCommand, old: str, new: str, now: datetime) -> None:
    """The provider's own word of the new one may have come first."""
    rows = Subscription.objects.select_for_update()
    row = rows.filter(tenant_id=command.tenant_id, provider_subscription_id=old).first()
    if row is not None:
        row.provider_subscription_id = new
        row.save()
    promise_entrusting(tenant_id=command.tenant_id, now=now)
    facts = {"tenant_id": str(command.tenant_id), "subscription": new}
    log.info("subscription.switched", extra=facts)
