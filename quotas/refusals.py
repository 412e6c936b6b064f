"""What the gate and the ledger refuse with."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class UsageRefused(DomainError):
    """What a meter refuses: its limit, or the tenant's own spend cap."""


class QuotaExceeded(UsageRefused):
    """The plan's allowance of a meter is used up: meter, limit, used, asked, resets_at, upgrade_to.

    `upgrade_to` is the cheapest higher plan that would allow it, null where there is none;
    `resets_at` is null for a meter that never resets.
    """

    code = "quota_exceeded"
    status = 402
    title = _("The plan does not allow that many.")

    @property
    def detail(self) -> str:
        """In words: what was asked, what is left, and which plan would allow it."""
        told = {name: self.facts.get(name) for name in ("asked", "used", "limit", "upgrade_to")}
        if any(told[name] is None for name in ("asked", "used", "limit")):
            return super().detail
        words = _("%(asked)s asked for, %(used)s of %(limit)s in use.") % told
        if told["upgrade_to"]:
            words += " " + _("The plan %(upgrade_to)s would allow it.") % told
        return str(words)


class SpendCapReached(UsageRefused):
    """It would cost more than the tenant lets a billing period cost: meter, cap, spent, currency, asked, resets_at.

    `cap` and `spent` are integer minor units of `currency`; null where nothing tells it. What the plan
    includes goes on; an owner can raise the cap (PUT spend-cap).
    """

    code = "spend_cap_reached"
    status = 402
    title = _("The spend cap is reached.")


class FeatureNotInPlan(DomainError):
    """The plan does not switch this on: feature, upgrade_to (the cheapest plan that has it)."""

    code = "feature_not_in_plan"
    status = 403
    title = _("Your plan does not include this.")


class TooManyAtOnce(DomainError):
    """As many requests of the tenant are at work as its plan allows: limit, running. One may pass in a moment."""

    code = "too_many_at_once"
    status = 429
    title = _("Too many requests at the same time.")
    headers = {"Retry-After": "1"}


class UsageKeyReused(DomainError):
    """The key has counted with another body: meter, quantity, time or properties. Use a new key."""

    code = "usage_key_reused"
    status = 422
    title = _("This key was used for another event.")


class UsageBelowZero(DomainError):
    """The event and its corrections together would be below zero: key, quantity (reported), asked."""

    code = "usage_below_zero"
    status = 422
    title = _("A correction takes no more than was reported.")


class SubscriptionPastDue(DomainError):
    """A payment is overdue; usage, plan and invoices stay reachable.

    `degree` is `read_only` while reading is still allowed, else `suspended`.
    """

    code = "subscription_past_due"
    status = 402
    title = _("A payment for this subscription is overdue.")


# Refuses what writes; whoever only reads goes on.
READ_ONLY = "subscription_read_only"
# What `entitlements.hold` may lay on a tenant, and what each refuses with.
HOLDS: dict[str, type[DomainError]] = {
    SubscriptionPastDue.code: SubscriptionPastDue,
    READ_ONLY: SubscriptionPastDue,
}
