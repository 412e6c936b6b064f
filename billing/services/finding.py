"""Find what a client names: a plan, and the tenant's own subscription."""

from uuid import UUID

from billing import catalogue
from billing.models import Subscription
from config.errors import NotFound, ValidationFailed


def find_plan(key: str) -> catalogue.PlanSpec:
    """The plan that a client names. Raises ValidationFailed."""
    try:
        return catalogue.plan(key)
    except KeyError:
        names = ", ".join(spec.key for spec in catalogue.plans())
        raise ValidationFailed(errors={"plan": [f"One of {names}."]}) from None


def subscription_of(tenant_id: UUID, *, for_update: bool = False) -> Subscription:
    """Raises NotFound."""
    rows = Subscription.objects.all()
    row = (rows.select_for_update() if for_update else rows).filter(tenant_id=tenant_id).first()
    if row is None:
        raise NotFound()
    return row
