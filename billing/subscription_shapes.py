"""What clients send and get of a change of their subscription."""

from typing import Any

from rest_framework import serializers

from billing import catalogue
from billing.catalogue import CURRENCIES, INTERVALS
from billing.models import Redemption, SubscriptionChange
from billing.money import Money
from billing.rating.lines import Draft, Line, Tax
from billing.services.quoting import Quote
from billing.services.wishes import Wish

_MOST_SEATS = 100_000


class WishIn(serializers.Serializer[Any]):
    """What is to be other than it is. `quoted_at` is that of a preview, within an hour."""

    plan = serializers.ChoiceField(choices=[spec.key for spec in catalogue.plans()], required=False)
    interval = serializers.ChoiceField(choices=INTERVALS, required=False)
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False)
    seats = serializers.IntegerField(
        min_value=1, max_value=_MOST_SEATS, required=False, help_text="All of them together."
    )
    add_ons = serializers.DictField(
        child=serializers.IntegerField(min_value=0), required=False, help_text="Key: how many."
    )
    coupon = serializers.CharField(max_length=64, default="", allow_blank=True)
    quoted_at = serializers.DateTimeField(required=False)


class QuotedOut(serializers.Serializer[Money]):
    amount = serializers.IntegerField(help_text="Minor units.")
    currency = serializers.CharField()


class DraftLineOut(serializers.Serializer[Line]):
    kind = serializers.CharField()
    subject = serializers.CharField()
    quantity = serializers.IntegerField()
    amount = QuotedOut()
    starts_at = serializers.DateTimeField()
    ends_at = serializers.DateTimeField()


class DraftTaxOut(serializers.Serializer[Tax]):
    key = serializers.CharField()
    country = serializers.CharField()
    rate_millionths = serializers.IntegerField()
    base = QuotedOut()
    amount = QuotedOut()


class DraftOut(serializers.Serializer[Draft]):
    """A negative total becomes credit."""

    lines = DraftLineOut(many=True)
    taxes = DraftTaxOut(many=True)
    subtotal = QuotedOut()
    tax = QuotedOut()
    total = QuotedOut()


class QuoteOut(serializers.Serializer[Any]):
    """`invoice` is that of `effective_at`, with the use so far; null where nothing is to be paid.

    Use in another currency has invoices of its own, `use_invoices`. `needs_consent`: the buyer agrees
    first, at the `consent_url` of the change.
    """

    quoted_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField()
    at_once = serializers.BooleanField()
    plan = serializers.CharField()
    interval = serializers.CharField()
    currency = serializers.CharField()
    seats = serializers.IntegerField()
    add_ons = serializers.DictField(child=serializers.IntegerField())
    needs_consent = serializers.BooleanField()
    invoice = DraftOut(allow_null=True)
    use_invoices = DraftOut(many=True)


class PendingChangeOut(serializers.Serializer[SubscriptionChange]):
    """A wish that waits. `pending`: until the buyer agrees at `consent_url`, which holds until `expires_at`."""

    status = serializers.ChoiceField(choices=["pending", "scheduled"])
    plan = serializers.CharField(source="terms.plan")
    interval = serializers.CharField(source="terms.interval")
    currency = serializers.CharField(source="terms.currency")
    seats = serializers.IntegerField(source="terms.seats")
    add_ons = serializers.SerializerMethodField()
    asked_at = serializers.DateTimeField()
    effective_at = serializers.DateTimeField(allow_null=True)
    expires_at = serializers.DateTimeField(allow_null=True)
    consent_url = serializers.SerializerMethodField()

    def get_add_ons(self, change: SubscriptionChange) -> dict[str, int]:
        return dict(change.terms["add_ons"])

    def get_consent_url(self, change: SubscriptionChange) -> str | None:
        return change.consent_url or None


class CouponIn(serializers.Serializer[Any]):
    code = serializers.CharField(max_length=64)


class CouponOut(serializers.Serializer[Redemption]):
    """`periods_left` null: for as long as the subscription lasts."""

    coupon = serializers.CharField()
    redeemed_at = serializers.DateTimeField()
    periods_left = serializers.IntegerField(allow_null=True)


def wish_of(parsed: Any) -> Wish:
    """What a client wants, as the services take it."""
    return Wish(**{name: parsed[name] for name in parsed})


def quote_answer(quote: Quote) -> dict[str, Any]:
    """A quote as clients get it."""
    return {
        "quoted_at": quote.quoted_at,
        "effective_at": quote.effective_at,
        "at_once": quote.is_at_once,
        "plan": quote.terms.plan,
        "interval": quote.terms.interval,
        "currency": quote.terms.currency,
        "seats": quote.terms.seats,
        "add_ons": dict(quote.terms.add_ons),
        "needs_consent": quote.needs_consent,
        "invoice": quote.draft,
        "use_invoices": quote.use,
    }
