"""The shapes of `/webhook-endpoints` and `/webhook-deliveries`."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.serializers import LineField, StrictSerializer, TextField
from tenants.models import WebhookDelivery, WebhookEndpoint
from tenants.outbound.addresses import LONGEST_URL


class EndpointIn(StrictSerializer):
    url = TextField(max_length=LONGEST_URL, help_text="https; its host must be public.")
    events = serializers.ListField(
        child=TextField(max_length=64), min_length=1, max_length=50, help_text="See /reference."
    )
    description = LineField(max_length=200, allow_blank=True, required=False)


class EndpointChange(EndpointIn):
    is_enabled = serializers.BooleanField(required=False)


class EndpointOut(serializers.ModelSerializer[WebhookEndpoint]):
    is_enabled = serializers.BooleanField(read_only=True)

    class Meta:
        model = WebhookEndpoint
        fields = (
            *("id", "url", "description", "events", "is_enabled", "disabled_reason"),
            *("disabled_at", "failing_since", "former_secret_until", "created_at"),
        )


class EndpointWithSecret(EndpointOut):
    """With `secret`, which is shown this once."""

    secret = serializers.SerializerMethodField()

    class Meta(EndpointOut.Meta):
        fields = (*EndpointOut.Meta.fields, "secret")  # type: ignore[assignment]

    def get_secret(self, _endpoint: WebhookEndpoint) -> str:
        return str(self.context["secret"])


class DeliveryOut(serializers.ModelSerializer[WebhookDelivery]):
    """One event for one endpoint. `body` is what was signed and sent."""

    endpoint = serializers.UUIDField(source="endpoint_id")
    body = serializers.SerializerMethodField()

    class Meta:
        model = WebhookDelivery
        fields = (
            *("id", "endpoint", "event_id", "event", "status", "attempts", "next_attempt_at"),
            *("last_status", "last_error", "created_at", "delivered_at", "body"),
        )

    @extend_schema_field(serializers.CharField())
    def get_body(self, delivery: WebhookDelivery) -> Any:
        return delivery.body
