"""What clients send and get of seats."""

from typing import Any

from rest_framework import serializers

from billing.models import Invitation
from billing.subscription_shapes import PendingChangeOut
from config.needs import Role
from config.serializers import RowSerializer
from tenants.identity.people import LONGEST_PASSWORD

_LONGEST_TOKEN = 500


class InvitationOut(RowSerializer[Invitation]):
    """The seat's `id` stays the same when the guest becomes a member."""

    role = serializers.CharField(source="role_name", read_only=True)

    class Meta:
        model = Invitation
        fields = ("id", "email", "role", "created_at", "expires_at")
        read_only_fields = fields


class SeatsOut(serializers.Serializer[Any]):
    """`allowed` and `left` are null where there is no limit; `paid` are those above the plan's own.

    `pending` is a change of the subscription that waits, for the buyer's consent for one: nothing of it
    is among the others.
    """

    allowed = serializers.IntegerField(allow_null=True)
    paid = serializers.IntegerField()
    taken = serializers.IntegerField()
    left = serializers.IntegerField(allow_null=True)
    pending = PendingChangeOut(allow_null=True)
    invitations = InvitationOut(many=True)


class SeatIn(serializers.Serializer[Any]):
    """`buy`: where every seat is taken, buy one more for the rest of the period and on."""

    email = serializers.EmailField(max_length=254)
    role = serializers.CharField(
        max_length=32, default=Role.MEMBER.value, help_text="A role's name (GET /roles)."
    )
    buy = serializers.BooleanField(default=False)


class AcceptIn(serializers.Serializer[Any]):
    """`token` is the link's. Whoever has an account sends its password, others choose one."""

    token = serializers.CharField(max_length=_LONGEST_TOKEN)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    name = serializers.CharField(max_length=200, default="", allow_blank=True)


class AcceptOut(serializers.Serializer[Any]):
    member_id = serializers.UUIDField()
    email = serializers.EmailField()
    role = serializers.CharField()


class MyDataOut(serializers.Serializer[Any]):
    """All that is kept of one person, in every tenant."""

    person = serializers.DictField()
    memberships = serializers.ListField(child=serializers.DictField())
    identities = serializers.ListField(child=serializers.DictField())
    api_keys = serializers.ListField(child=serializers.DictField())
    mails = serializers.ListField(child=serializers.DictField())
    mailed_links = serializers.ListField(child=serializers.DictField())
    sign_ins = serializers.ListField(child=serializers.DictField())


class EraseMeIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254, help_text="Your own, typed once more.")


class ErasedMeOut(serializers.Serializer[Any]):
    """Rows erased, by table."""

    erased = serializers.DictField(child=serializers.IntegerField())
