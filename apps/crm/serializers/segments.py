"""What clients say of, and read about, segments."""

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.crm.models import Segment
from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH
from config.api import BATCH_LIMIT
from config.serializers import LineField, PlainJSONField, RowSerializer, StrictSerializer


@extend_schema_field({"type": "object", "additionalProperties": True})
class RuleField(PlainJSONField):
    """`{all|any: […]}`, `{not: …}`, `{field, op, value}`, `{tag}`, `{segment}`, `{orders, op, value, …}`."""

    def __init__(self, **options: Any) -> None:
        super().__init__(max_bytes=65_536, max_depth=20, **options)


class SegmentIn(StrictSerializer):
    name = LineField(max_length=NAME_LENGTH)
    external_id = LineField(max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True)
    rule = RuleField(required=False, allow_null=True, help_text="Without one it is a static list.")


class RuleIn(StrictSerializer):
    rule = RuleField()


class SnapshotIn(StrictSerializer):
    name = LineField(max_length=NAME_LENGTH)


class MembersIn(StrictSerializer):
    add = serializers.ListField(child=serializers.UUIDField(), max_length=BATCH_LIMIT, default=list)
    remove = serializers.ListField(
        child=serializers.UUIDField(), max_length=BATCH_LIMIT, default=list
    )


class SegmentOut(RowSerializer[Segment]):
    class Meta:
        model = Segment
        fields = [
            *("id", "external_id", "name", "kind", "rule", "taken_of_id", "filled_at"),
            *("created_at", "updated_at"),
        ]


class SegmentDetailOut(SegmentOut):
    """With how many contacts are in it: `context["count"]`. `filled_at` null: not everybody was looked at yet."""

    count = serializers.SerializerMethodField()

    class Meta(SegmentOut.Meta):
        fields = [*SegmentOut.Meta.fields, "count"]

    def get_count(self, segment: Segment) -> int:
        return int(self.context["count"])


class CountOut(serializers.Serializer[Any]):
    count = serializers.IntegerField()


class MovedOut(serializers.Serializer[Any]):
    """How many came into the list, and how many went."""

    added = serializers.IntegerField()
    removed = serializers.IntegerField()
