"""What a buyer must consent to at the provider before more is granted or billed: PayPal's rule.

PayPal takes no more with a cycle than its buyer agreed to. So more of what a cycle costs (plan, seats,
add-ons) is asked of it as a revision; the buyer consents at the returned address, and PayPal's next word,
read anew, has the new price: only then the change holds. Less needs nobody's consent.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import providers
from billing.catalogue import FREE
from billing.models import Subscription, SubscriptionChange
from billing.money import Money
from billing.providers.base import ProviderSubscription
from billing.rating.terms import Terms
from billing.services import switching
from billing.services.cycles import cycle_of
from billing.services.entrusting import promise_carry
from billing.services.prices import current_price

# How long a wish waits for the buyer's consent.
CONSENT_HOLDS = timedelta(days=3)
# How far PayPal's clock and ours may be apart.
_CLOCKS_APART = timedelta(minutes=1)
Change = SubscriptionChange.Status


@dataclass(frozen=True, slots=True)
class Asked:
    """What the buyer is asked: `cycle` None where the plan's own price is all of it."""

    cycle: Money | None
    url: str


def is_told(row: Subscription, present: Terms, wanted: Terms) -> bool:
    """Whether the provider must hear of it first: another price, or more than PayPal's buyer agreed to.

    Of another currency it hears when that holds (switching.py).
    """
    if not row.is_collected or wanted.currency != present.currency:
        return False
    if (wanted.plan, wanted.interval) != (present.plan, present.interval):
        return True
    return row.provider == providers.PAYPAL and cycle_of(wanted).amount > cycle_of(present).amount


def is_asked(row: Subscription, present: Terms, wanted: Terms) -> bool:
    """Whether the buyer must agree to it: whatever PayPal hears of, but an end."""
    is_end = wanted.plan == FREE
    return row.provider == providers.PAYPAL and not is_end and is_told(row, present, wanted)


def ask(row: Subscription, terms: Terms, *, now: datetime) -> Asked:
    """Tell the provider what it is to have; where the buyer must consent to it, if they must.

    Raises ProviderNotYet while its currency is being changed, and what providers raise.
    """
    if not row.is_collected:
        return Asked(None, "")
    switching.refuse_meanwhile(row, now=now)
    gateway, ref = providers.gateway(row.provider), row.provider_subscription_id
    if terms.plan == FREE:
        gateway.cancel_at_period_end(subscription_id=ref)
        return Asked(None, "")
    price = current_price(
        provider=row.provider, plan=terms.plan, currency=terms.currency, interval=terms.interval
    )
    cycle = _cycle_beside(row, terms, price.amount_minor)
    url = gateway.change_price(subscription_id=ref, price_id=price.price_id, cycle=cycle)
    return Asked(cycle, url)


def _cycle_beside(row: Subscription, terms: Terms, plan_minor: int) -> Money | None:
    """What PayPal's cycles are to take; None where another plan's own price says it all."""
    if row.provider != providers.PAYPAL:
        return None
    cycle = cycle_of(terms)
    is_same = (terms.plan, terms.interval) == (row.plan, row.interval)
    return cycle if is_same or cycle.amount != plan_minor else None


def note(change: SubscriptionChange, asked: Asked, *, rest: Terms | None, now: datetime) -> None:
    """Keep with a wish what its buyer is asked, and what waits for the period's end once they agree."""
    if change.status == Change.PENDING and asked.url:
        change.consent_minor = asked.cycle.amount if asked.cycle else None
        change.consent_url, change.expires_at = asked.url, now + CONSENT_HOLDS
        change.then_terms = rest.stored() if rest else None
        change.save()


def was_told(present: Terms, change: SubscriptionChange | None) -> bool:
    """Whether the provider has to unlearn a wish: of seats and add-ons it holds only a question, which lapses."""
    if change is None:
        return False
    if change.terms["currency"] != present.currency:
        return False  # of another currency it hears when that holds (switching.py)
    other = (change.terms["plan"], change.terms["interval"])
    return other != (present.plan, present.interval)


def is_given(change: SubscriptionChange, found: ProviderSubscription) -> bool:
    """Whether the provider's word `found` has what the buyer was asked for."""
    if change.consent_minor is None:
        return True
    # The same price from before the question (carried, or taken back) is no answer to it.
    is_new = found.priced_at is not None and found.priced_at >= change.asked_at - _CLOCKS_APART
    return is_new and found.cycle_minor == change.consent_minor


def schedule_rest(row: Subscription, change: SubscriptionChange, *, now: datetime) -> None:
    """Let the part of an agreed wish that is less wait for the period's end."""
    if change.then_terms:
        row.changes.create(
            terms=change.then_terms,
            status=Change.SCHEDULED,
            asked_at=change.asked_at,
            quoted_at=now,
            effective_at=row.billed_until,
        )


def take_back(row: Subscription, found: ProviderSubscription, *, now: datetime) -> None:
    """A consent that comes after its wish was called off changes nothing: the price becomes the old one."""
    asked = row.changes.exclude(consent_minor=None).order_by("-asked_at", "-pk").first()
    if asked is not None and asked.status == Change.CALLED_OFF and is_given(asked, found):
        promise_carry(tenant_id=row.tenant_id, now=now, is_first=True)


def take_less(row: Subscription, before: Terms, terms: Terms, *, now: datetime) -> None:
    """Less was subscribed: the next cycles need not take what was once consented to."""
    is_paypals = row.provider == providers.PAYPAL and row.is_collected
    if (
        is_paypals
        and before.plan == terms.plan
        and cycle_of(terms).amount < cycle_of(before).amount
    ):
        promise_carry(tenant_id=row.tenant_id, now=now, is_first=True)
