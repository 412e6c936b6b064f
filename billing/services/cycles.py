"""What each cycle costs, and how much of it PayPal's buyer has agreed to."""

from billing.models import Subscription, SubscriptionChange
from billing.money import Money
from billing.rating.recurring import whole_cycle
from billing.rating.terms import Terms
from billing.services.catalogues import catalogue_of
from billing.services.terms import present_terms


def cycle_of(terms: Terms) -> Money:
    """What plan, seats and add-ons cost for a whole period, before discounts and taxes."""
    return whole_cycle(terms, catalogue_of(terms.catalogue_version))


def agreed_cycle(row: Subscription) -> Money | None:
    """What a cycle takes of the present terms with the buyer's consent; None: the plan's own price.

    Seats and add-ons that are there no more are not in it, nor is what a newer catalogue made dearer.
    """
    terms = present_terms(row)
    if terms is None:
        return None
    agreed = row.changes.filter(
        status=SubscriptionChange.Status.DONE,
        consent_minor__isnull=False,
        terms__plan=terms.plan,
        terms__interval=terms.interval,
    )
    latest = agreed.order_by("-settled_at", "-pk").first()
    if latest is None or latest.consent_minor is None:
        return None
    cycle = cycle_of(terms)
    return min(cycle, Money(latest.consent_minor, cycle.currency))
