"""What clients send and get of campaigns. Money is `{amount, currency}` outside, two columns inside."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.campaigns.models import Campaign, CampaignTransition
from apps.campaigns.services.lifecycle import Verb
from config.money import LARGEST_MINOR
from config.serializers import (
    CurrencyField,
    LineField,
    PlainJSONField,
    PositiveMoney,
    RowSerializer,
    StrictSerializer,
    TextField,
    WholeNumberField,
)

LONGEST_DESCRIPTION = 5_000


class Budget(PositiveMoney):
    """`{amount, currency}` over the campaign's two columns."""

    amount = WholeNumberField(source="budget_minor", min_value=1, max_value=LARGEST_MINOR)
    currency = CurrencyField(source="budget_currency")


@extend_schema_field({"oneOf": [{"type": "object"}, {"type": "string"}]})
class AudienceField(PlainJSONField):
    """Whom to reach: an object of criteria, or words."""

    default_error_messages = {"shape": _("An object or a text.")}

    def to_internal_value(self, data: Any) -> Any:
        if not isinstance(data, dict | str):
            self.fail("shape")
        return super().to_internal_value(data)


class CampaignIn(StrictSerializer):
    name = LineField(max_length=200)
    type = serializers.ChoiceField(choices=Campaign.Type.choices)
    budget = Budget(source="*")
    description = TextField(max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True)
    starts_at = serializers.DateTimeField(required=False, allow_null=True)
    ends_at = serializers.DateTimeField(required=False, allow_null=True)
    target_audience = AudienceField(required=False)


class CampaignOut(RowSerializer[Campaign]):
    """`campaign_id` is `id` again, for clients of the older design."""

    campaign_id = serializers.UUIDField(source="id", read_only=True)
    budget = Budget(source="*", read_only=True)
    target_audience = AudienceField(read_only=True)

    class Meta:
        model = Campaign
        fields = (
            "id",
            "campaign_id",
            "name",
            "description",
            "type",
            "status",
            "budget",
            "starts_at",
            "ends_at",
            "target_audience",
            "created_by_id",
            "created_at",
            "updated_at",
        )
        read_only_fields = fields


class MoveIn(StrictSerializer):
    """Why the state changes; kept in the history."""

    reason = LineField(max_length=500, required=False, allow_blank=True)


class ScheduleIn(MoveIn):
    starts_at = serializers.DateTimeField(required=False)


class TransitionOut(RowSerializer[CampaignTransition]):
    class Meta:
        model = CampaignTransition
        fields = ("from_status", "to_status", "by_id", "reason", "at")
        read_only_fields = fields


class StatusOut(serializers.Serializer[Any]):
    """The state, since when, what may be asked of it now, and how it came here (newest first)."""

    id = serializers.UUIDField()
    campaign_id = serializers.UUIDField(source="id")
    status = serializers.ChoiceField(choices=Campaign.Status.choices)
    since = serializers.DateTimeField()
    allowed = serializers.ListField(
        child=serializers.ChoiceField(choices=[verb.value for verb in Verb])
    )
    starts_at = serializers.DateTimeField(allow_null=True)
    ends_at = serializers.DateTimeField(allow_null=True)
    history = TransitionOut(many=True)
