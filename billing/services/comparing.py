"""Whether a provider's subscription and ours say the same: who has which plan, and whether it goes on."""

from billing.catalogue import FREE
from billing.models import ProviderPrice, Subscription
from billing.providers.base import ProviderStatus, ProviderSubscription


def difference(row: Subscription, there: ProviderSubscription) -> tuple[str, str] | None:
    """(here, there) where they differ; None where they agree.

    Being overdue is no difference: dunning is ours, and a provider may not know of it.
    """
    ours = (row.plan, row.status not in Subscription.WITHOUT_PLAN)
    theirs = _theirs(there)
    if there.status is ProviderStatus.INCOMPLETE or ours == theirs:
        return None
    return _told(ours), _told(theirs)


def _theirs(there: ProviderSubscription) -> tuple[str, bool]:
    has_plan = there.status.is_live and there.status is not ProviderStatus.PAUSED
    prices = ProviderPrice.objects.filter(provider=there.provider, price_id=there.price_id)
    plan = prices.values_list("plan", flat=True).first() or there.price_id
    return (plan, True) if has_plan else (FREE, False)


def _told(state: tuple[str, bool]) -> str:
    plan, goes_on = state
    return f"{plan}, {'going on' if goes_on else 'over'}"
