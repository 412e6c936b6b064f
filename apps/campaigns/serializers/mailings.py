"""What clients send and get of a campaign's letter and its recipients."""

from typing import Any

from rest_framework import serializers

from apps.campaigns.models import Mailing, Recipient
from config.serializers import LineField, RowSerializer, StrictSerializer


class LetterIn(StrictSerializer):
    """`template_id` is an e-mail template; what it says at this moment is what will be sent."""

    template_id = serializers.UUIDField()
    sender_name = LineField(max_length=100)
    reply_to = serializers.EmailField(max_length=254, required=False, allow_blank=True)


class LetterOut(RowSerializer[Mailing]):
    class Meta:
        model = Mailing
        fields = ("template_id", "subject", "html", "text", "variables", "sender_name", "reply_to")
        read_only_fields = fields


class MailingOut(RowSerializer[Mailing]):
    """How far the letter is sent: `in_doubt` were handed over by a process that was killed before the answer."""

    class Meta:
        model = Mailing
        fields = (
            *("begun_at", "chosen_at", "finished_at"),
            *("recipients", "sent", "failed", "skipped", "in_doubt"),
        )
        read_only_fields = fields


class AudienceOut(serializers.Serializer[Any]):
    """How many would get the letter if it were sent now."""

    reached = serializers.IntegerField()


class RecipientOut(RowSerializer[Recipient]):
    class Meta:
        model = Recipient
        fields = ("contact_id", "state", "reason", "answer", "attempts", "not_before", "settled_at")
        read_only_fields = fields
