"""What clients send and read of single sign-on."""

from typing import Any

from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from config.needs import Role
from config.serializers import LineField, RowSerializer, StrictSerializer, TextField
from tenants.identity.sso.connections import callback_of
from tenants.models import SsoConnection, SsoDomain

_ROLES = [role.value for role in Role if role is not Role.OWNER]
_MOST_GROUPS, _LONGEST_GROUP = 100, 255


def _few_groups(told: dict[str, str]) -> None:
    if len(told) > _MOST_GROUPS or any(len(group) > _LONGEST_GROUP for group in told):
        raise serializers.ValidationError(_("At most 100 groups, of 255 characters each."))


class SsoIn(StrictSerializer):
    """`client_secret` is kept sealed and never shown; left out, the one that is set stays."""

    issuer = TextField(max_length=255)
    client_id = LineField(max_length=255)
    client_secret = LineField(max_length=1_000, required=False)
    default_role = serializers.ChoiceField(choices=_ROLES, required=False)
    role_claim = LineField(max_length=100, required=False, allow_blank=True)
    role_map = serializers.DictField(
        child=serializers.ChoiceField(choices=_ROLES), required=False, validators=[_few_groups]
    )
    is_enforced = serializers.BooleanField(required=False)


class SsoOut(RowSerializer[SsoConnection]):
    """`redirect_uri` is what the provider's administrator enters; `used_at` when somebody last came by it."""

    redirect_uri = serializers.SerializerMethodField()

    class Meta:
        model = SsoConnection
        fields = (
            *("issuer", "client_id", "redirect_uri", "default_role", "role_claim", "role_map"),
            *("is_enforced", "created_at", "used_at"),
        )
        read_only_fields = fields

    @extend_schema_field(serializers.URLField())
    def get_redirect_uri(self, found: SsoConnection) -> str:
        return callback_of(found.tenant)


class SsoDomainIn(StrictSerializer):
    domain = TextField(max_length=253, help_text="What stands after the @: `example.com`.")


class SsoRecordOut(serializers.Serializer[Any]):
    """The DNS record that proves the domain."""

    type = serializers.CharField()
    name = serializers.CharField()
    value = serializers.CharField()


class SsoDomainOut(RowSerializer[SsoDomain]):
    """A domain of e-mail addresses; it counts once it is verified."""

    record = serializers.SerializerMethodField()

    class Meta:
        model = SsoDomain
        fields = ("id", "domain", "record", "created_at", "verified_at")
        read_only_fields = fields

    @extend_schema_field(SsoRecordOut)
    def get_record(self, found: SsoDomain) -> dict[str, Any]:
        return {"type": "TXT", "name": found.record_name, "value": found.proof}
