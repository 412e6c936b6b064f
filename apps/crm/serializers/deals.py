"""What clients say of, and read about, pipelines, their stages, and deals."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.crm.models import Deal, Pipeline, Stage
from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH
from apps.crm.serializers.people import CustomFields, MoneyOut
from config.serializers import LineField, Money, RowSerializer, StrictSerializer

_MOST_STAGES = 50


class StageIn(StrictSerializer):
    id = serializers.UUIDField(required=False, help_text="Of a stage that is there already.")
    name = LineField(max_length=NAME_LENGTH)
    kind = serializers.ChoiceField(Stage.Kind.choices, required=False)


class PipelineIn(StrictSerializer):
    name = LineField(max_length=NAME_LENGTH)
    external_id = LineField(max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True)
    stages = serializers.ListField(
        child=StageIn(), min_length=1, max_length=_MOST_STAGES, help_text="All, in their order."
    )


class StageOut(RowSerializer[Stage]):
    class Meta:
        model = Stage
        fields = ["id", "name", "kind"]


class PipelineOut(RowSerializer[Pipeline]):
    stages = StageOut(many=True)

    class Meta:
        model = Pipeline
        fields = ["id", "external_id", "name", "stages", "created_at"]


class DealIn(StrictSerializer):
    name = LineField(max_length=NAME_LENGTH)
    stage_id = serializers.UUIDField()
    external_id = LineField(max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True)
    contact_id = serializers.UUIDField(required=False, allow_null=True)
    company_id = serializers.UUIDField(required=False, allow_null=True)
    amount = Money(required=False, allow_null=True)
    owner_id = serializers.UUIDField(required=False, allow_null=True)
    closes_on = serializers.DateField(required=False, allow_null=True)
    fields = CustomFields(required=False)  # type: ignore[assignment]

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "amount" not in attrs:
            return attrs
        money = attrs.pop("amount") or {"amount": None, "currency": None}
        return {**attrs, "amount_minor": money["amount"], "currency": money["currency"]}


class DealOut(RowSerializer[Deal]):
    amount = serializers.SerializerMethodField()

    class Meta:
        model = Deal
        fields = [
            *("id", "external_id", "name", "stage_id", "contact_id", "company_id", "amount"),
            *("owner_id", "closes_on", "fields", "stage_changed_at", "closed_at", "archived_at"),
            *("created_at", "updated_at"),
        ]

    @extend_schema_field(MoneyOut(allow_null=True))
    def get_amount(self, deal: Deal) -> dict[str, Any] | None:
        if deal.amount_minor is None:
            return None
        return {"amount": deal.amount_minor, "currency": deal.currency}


class DealNamed(StrictSerializer):
    """One of them."""

    id = serializers.UUIDField(required=False)
    external_id = serializers.CharField(required=False)
