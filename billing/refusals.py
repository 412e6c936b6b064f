"""What billing refuses with. Failures of a provider are in billing/providers/base.py."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class PaymentRequired(DomainError):
    """The plan must be bought first: POST to `checkout` with `plan`."""

    code = "payment_required"
    status = 409
    title = _("This plan must be paid for first; start a checkout.")


class AlreadySubscribed(DomainError):
    """A provider collects for this tenant already: POST to `change` instead of checking out again."""

    code = "already_subscribed"
    status = 409
    title = _("This tenant is subscribed already; change the plan instead.")


class PlanNotForSale(DomainError):
    """There is no price for this plan, currency and interval at this provider."""

    code = "plan_not_for_sale"
    status = 409
    title = _("This plan cannot be bought in this way.")


class PaymentAccountMissing(DomainError):
    """Nothing was ever paid here, so the provider has no page to show."""

    code = "payment_account_missing"
    status = 409
    title = _("There is no account at a payment provider yet; start a checkout.")


class StillCollected(DomainError):
    """A provider collects for this tenant: end its subscription there before the tenant is erased."""

    code = "subscription_still_collected"
    status = 409
    title = _("A payment provider still collects for this tenant.")
