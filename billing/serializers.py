"""What billing's clients send and get."""

from collections.abc import Mapping
from typing import Any

from django.urls import reverse
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers
from rest_framework.fields import empty

from billing import catalogue, signup
from billing.catalogue import CURRENCIES, INTERVALS
from billing.models import Provider, Subscription
from billing.services.terms import present_terms
from billing.services.wishes import open_change
from billing.subscription_shapes import PendingChangeOut
from config.serializers import RowSerializer
from tenants.models import Archive, Tenant
from tenants.services import url_of

_LONGEST_ADDRESS = 2_000


def _plan_keys() -> list[str]:
    return [spec.key for spec in catalogue.plans()]


def _all_faults(data: Any, told: Any) -> Any:
    """What the fields say, and what sign-up would refuse in a second round."""
    if not isinstance(data, Mapping) or not isinstance(told, dict):
        return told
    names = ("slug", "email", "password")
    given = {name: data[name] for name in names if isinstance(data.get(name), str)}
    return {**told, **signup.other_faults(given, known=told)}


class SignUpIn(serializers.Serializer[Any]):
    organisation = serializers.CharField(max_length=200)
    slug = serializers.CharField(max_length=40)
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1_024, trim_whitespace=False)
    plan = serializers.ChoiceField(choices=_plan_keys(), default=catalogue.FREE)
    data_region = serializers.CharField(
        max_length=32,
        default="",
        allow_blank=True,
        help_text="Where data is to be stored; refused where this installation stores elsewhere.",
    )

    def run_validation(self, data: Any = empty) -> Any:
        try:
            return super().run_validation(data)
        except serializers.ValidationError as refused:
            raise serializers.ValidationError(_all_faults(data, refused.detail)) from refused

    def validate_organisation(self, value: str) -> str:
        # The name stands in mails and on pages: no line breaks, no control characters.
        if not value.isprintable():
            raise serializers.ValidationError(_("Use printable characters on one line."))
        return value


class CheckoutIn(serializers.Serializer[Any]):
    """An interval or currency that is left out is that of the present subscription."""

    plan = serializers.ChoiceField(choices=_plan_keys())
    interval = serializers.ChoiceField(choices=INTERVALS, required=False)
    currency = serializers.ChoiceField(choices=CURRENCIES, required=False)
    provider = serializers.ChoiceField(choices=Provider.values, default=Provider.STRIPE.value)
    success_url = serializers.CharField(
        max_length=_LONGEST_ADDRESS, default="", allow_blank=True, trim_whitespace=False
    )


class CheckoutOut(serializers.Serializer[Any]):
    id = serializers.CharField()
    url = serializers.CharField()


class PortalIn(serializers.Serializer[Any]):
    return_url = serializers.CharField(
        max_length=_LONGEST_ADDRESS, default="", allow_blank=True, trim_whitespace=False
    )


class PortalOut(serializers.Serializer[Any]):
    url = serializers.CharField()


class SubscriptionOut(RowSerializer[Subscription]):
    """Moments are UTC; what does not apply is null. `pending_plan` is asked for and not yet in force.

    `seats` (all of them) and `add_ons` (key: how many) are those paid for. `pending_change` waits for the
    provider's or its buyer's word, or for the period's end.
    """

    pending_plan = serializers.SerializerMethodField()
    seats = serializers.SerializerMethodField()
    add_ons = serializers.SerializerMethodField()
    pending_change = serializers.SerializerMethodField()
    provider = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (
            "plan", "status", "pending_plan", "interval", "currency", "provider", "trial_ends_at",
            "period_starts_at", "period_ends_at", "cancels_at_period_end", "grace_ends_at",
            "billed_until", "seats", "add_ons", "pending_change",
        )  # fmt: skip
        read_only_fields = fields

    def get_pending_plan(self, row: Subscription) -> str | None:
        return row.pending_plan or None

    def get_seats(self, row: Subscription) -> int | None:
        terms = present_terms(row)
        return terms.seats if terms else None

    def get_add_ons(self, row: Subscription) -> dict[str, int]:
        terms = present_terms(row)
        return dict(terms.add_ons) if terms else {}

    @extend_schema_field(PendingChangeOut(allow_null=True))
    def get_pending_change(self, row: Subscription) -> dict[str, Any] | None:
        change = open_change(row)
        return dict(PendingChangeOut(change).data) if change else None

    def get_provider(self, row: Subscription) -> str | None:
        """Who collects; null while nothing is collected."""
        return row.provider if row.provider_subscription_id else None


class ChangeOut(SubscriptionOut):
    """`consent_url` is where the buyer must agree first (PayPal), or null."""

    consent_url = serializers.SerializerMethodField()

    class Meta:
        model = Subscription
        fields = (*SubscriptionOut.Meta.fields, "consent_url")
        read_only_fields = fields

    def get_consent_url(self, row: Subscription) -> str | None:
        return self.context["consent_url"] or None


class ExportOut(serializers.ModelSerializer[Archive]):
    """`download_url` is null until the export is completed; row and file are deleted at `expires_at`."""

    requested_by = serializers.UUIDField(
        source="requested_by_id", allow_null=True, help_text="The id of the person."
    )
    error = serializers.SerializerMethodField()
    download_url = serializers.SerializerMethodField()

    class Meta:
        model = Archive
        fields = (
            "id", "status", "steps_done", "steps_total", "requested_by", "size_bytes", "sha256",
            "error", "created_at", "finished_at", "expires_at", "download_url",
        )  # fmt: skip
        read_only_fields = fields

    def get_error(self, made: Archive) -> str | None:
        return made.error or None

    def get_download_url(self, made: Archive) -> str | None:
        if made.status != Archive.Status.COMPLETED:
            return None
        return reverse("export-download", args=[made.pk])


def tenant_answer(tenant: Tenant, *, status: str) -> dict[str, Any]:
    """`{tenant: {slug, status, url}}`."""
    return {"tenant": {"slug": tenant.slug, "status": status, "url": url_of(tenant)}}
