"""What clients send and read of requests of a law."""

from typing import Any

from rest_framework import serializers

from apps.crm.models import PrivacyRequest
from config.serializers import (
    LineField,
    RowSerializer,
    StrictSerializer,
    TextField,
    WholeNumberField,
)

_LONGEST = 1_000


class PrivacyRequestIn(StrictSerializer):
    law = serializers.ChoiceField(PrivacyRequest.Law.choices)
    kind = serializers.ChoiceField(PrivacyRequest.Kind.choices)
    contact = serializers.UUIDField(
        required=False, allow_null=True, default=None, help_text="Can be named later."
    )
    subject = LineField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Who asked, while no contact is known.",
    )
    note = TextField(max_length=_LONGEST, required=False, allow_blank=True, default="")
    received_on = serializers.DateField(required=False, allow_null=True, default=None)


class PrivacyRequestContactIn(StrictSerializer):
    contact = serializers.UUIDField()


class PrivacyRequestReasonIn(StrictSerializer):
    reason = LineField(max_length=_LONGEST)


class PrivacyRequestOutcomeIn(StrictSerializer):
    outcome = TextField(max_length=_LONGEST, required=False, allow_blank=True, default="")


class PrivacyRequestOut(RowSerializer[PrivacyRequest]):
    contact = serializers.UUIDField(source="contact_id", allow_null=True)

    class Meta:
        model = PrivacyRequest
        fields = [
            "id",
            "law",
            "kind",
            "status",
            "contact",
            "subject",
            "note",
            "received_on",
            "due_on",
            "extended_reason",
            "outcome",
            "closed_at",
            "closed_by_id",
            "created_at",
        ]


class PrivacyRequestDoneOut(PrivacyRequestOut):
    """With what was found (`data`), erased ({store: rows}), or withdrawn (consents)."""

    data = serializers.DictField(required=False)  # type: ignore[assignment]
    erased = serializers.DictField(child=serializers.IntegerField(), required=False)
    withdrawn = serializers.IntegerField(required=False)

    class Meta(PrivacyRequestOut.Meta):
        fields = [*PrivacyRequestOut.Meta.fields, "data", "erased", "withdrawn"]


class PersonalDataOut(serializers.Serializer[Any]):
    """All that is kept of one contact."""

    contact = serializers.DictField()
    orders = serializers.ListField(child=serializers.DictField())
    consents = serializers.ListField(child=serializers.DictField())
    notes = serializers.ListField(child=serializers.DictField())
    tasks = serializers.ListField(child=serializers.DictField())
    privacy_requests = serializers.ListField(child=serializers.DictField())
    waiting_rows = serializers.ListField(child=serializers.ListField())


class RetentionIn(StrictSerializer):
    days = WholeNumberField(allow_null=True, min_value=1, help_text="null: for ever.")


class RetentionOut(serializers.Serializer[Any]):
    """A class of data: its period, and how many rows the next night would let go of."""

    data_class = serializers.CharField()
    days = serializers.IntegerField(allow_null=True)
    default_days = serializers.IntegerField(allow_null=True)
    least_days = serializers.IntegerField()
    due = serializers.IntegerField()


class RetentionsOut(serializers.Serializer[Any]):
    """A list like the others; it has one page."""

    results = RetentionOut(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ErasedOut(serializers.Serializer[Any]):
    """Rows erased, by store."""

    erased = serializers.DictField(child=serializers.IntegerField())
