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


class CurrencyNotTaken(DomainError):
    """The payment provider takes no such `currency`: choose one of `currencies`, or pay in another way."""

    code = "currency_not_taken"
    status = 409
    title = _("The payment provider does not take this currency.")


class CurrencyKept(DomainError):
    """Paid in this way, a subscription keeps its `currency`: end it with its period, then start a `checkout`."""

    code = "currency_kept"
    status = 409
    title = _("Paid in this way, a subscription keeps its currency; end it, and subscribe anew.")


class PaymentAccountMissing(DomainError):
    """Nothing was ever paid here, so the provider has no page to show."""

    code = "payment_account_missing"
    status = 409
    title = _("There is no account at a payment provider yet; start a checkout.")


class PaymentMethodInUse(DomainError):
    """The subscription is paid by it: choose another one first."""

    code = "payment_method_in_use"
    status = 409
    title = _("The subscription is paid by this; choose another one first.")


class StillCollected(DomainError):
    """A provider collects for this tenant: end its subscription there before the tenant is erased."""

    code = "subscription_still_collected"
    status = 409
    title = _("A payment provider still collects for this tenant.")


class TransitionRefused(DomainError):
    """The subscription cannot go from `status` to `asked` (billing/services/states.py)."""

    code = "subscription_transition_refused"
    status = 409
    title = _("The subscription is in a state that does not allow this.")


class ChangeNotOpen(DomainError):
    """There is nothing that could be called off: no change waits, and no end is planned."""

    code = "subscription_change_not_open"
    status = 409
    title = _("There is no change or end of the subscription to call off.")


class QuoteOutdated(DomainError):
    """`quoted_at` is not of this period, in the future, or older than an hour: ask for a preview again."""

    code = "quote_outdated"
    status = 409
    title = _("The quoted amounts hold no more; ask for a preview again.")


class SeatsNotSold(DomainError):
    """The plan has its seats and no more of them: choose a plan with more (`plan`, `included`)."""

    code = "seats_not_sold"
    status = 409
    title = _("This plan has no further seats for sale.")


class SeatsInUse(DomainError):
    """Fewer seats were asked for than are taken: free seats first (`asked`, `used`)."""

    code = "seats_in_use"
    status = 409
    title = _("More seats are taken than would be left.")


class SeatNeedsConsent(DomainError):
    """PayPal's buyer must agree to one more seat first: ask for it (`change`, `seats`), then invite."""

    code = "seat_needs_consent"
    status = 409
    title = _("Whoever pays must agree to another seat first.")


class InvitationInvalid(DomainError):
    """The invitation's link is not one of ours, was used or revoked, or is too old."""

    code = "invitation_invalid"
    status = 410
    title = _("This invitation holds no more; ask for a new one.")


class CouponInvalid(DomainError):
    """There is no such coupon, or it is over, or it is not for this plan or currency (`reason`)."""

    code = "coupon_invalid"
    status = 409
    title = _("This coupon cannot be redeemed here.")
