"""What the gate and the ledger refuse with."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class QuotaExceeded(DomainError):
    """The plan's allowance of a meter is used up: meter, limit, used, asked, resets_at, upgrade_to.

    `upgrade_to` is the cheapest higher plan that would allow it, null where there is none;
    `resets_at` is null for a meter that never resets.
    """

    code = "quota_exceeded"
    status = 402
    title = _("The plan's allowance is used up.")


class FeatureNotInPlan(DomainError):
    """The plan does not switch this on: feature, upgrade_to (the cheapest plan that has it)."""

    code = "feature_not_in_plan"
    status = 403
    title = _("Your plan does not include this.")


class SubscriptionPastDue(DomainError):
    """A payment is overdue; usage, plan and invoices stay reachable."""

    code = "subscription_past_due"
    status = 402
    title = _("A payment for this subscription is overdue.")


# What `entitlements.hold` may lay on a tenant.
HOLDS: dict[str, type[DomainError]] = {SubscriptionPastDue.code: SubscriptionPastDue}
