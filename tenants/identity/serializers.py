"""What clients send and read. Fields are named one by one: nothing else is ever written or shown."""

from typing import Any, ClassVar

from django.conf import settings
from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.needs import Role
from config.personal import Personal
from config.serializers import LineField, PersonalAnswer, RowSerializer, StrictSerializer
from tenants.identity.people import LONGEST_PASSWORD
from tenants.models import ApiKey, Member, Person


class SignIn(serializers.Serializer[Any]):
    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=LONGEST_PASSWORD, trim_whitespace=False)
    otp = serializers.CharField(
        max_length=40,
        required=False,
        allow_blank=True,
        help_text="Where `second_factor_needed` asks for it: the app's code, or a recovery code.",
    )


class RefreshIn(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=200)


class LogoutIn(serializers.Serializer[Any]):
    refresh = serializers.CharField(max_length=200, required=False)


class TokenOut(serializers.Serializer[Any]):
    access = serializers.CharField()
    refresh = serializers.CharField()
    token_type = serializers.CharField()
    expires_in = serializers.IntegerField(help_text="Seconds.")


class LoginOut(TokenOut):
    """The older design's answer: the access token under its name there, too."""

    access_token = serializers.CharField()


class TenantOut(serializers.Serializer[Any]):
    id = serializers.UUIDField()
    slug = serializers.CharField()
    organisation = serializers.CharField()
    status = serializers.CharField()
    locale = serializers.CharField()
    data_region = serializers.CharField()


class PersonOut(PersonalAnswer):
    personal = Person.personal

    id = serializers.UUIDField()
    email = serializers.EmailField()
    name = serializers.CharField()
    locale = serializers.CharField()


class CredentialOut(serializers.Serializer[Any]):
    kind = serializers.CharField()
    scopes = serializers.ListField(child=serializers.CharField())


class MeOut(PersonOut):
    """The person, at the top; their place in this tenant; and the credential that asks."""

    # Their own, which everybody may see.
    personal: ClassVar[dict[str, Personal]] = {}

    role = serializers.CharField()
    permissions = serializers.ListField(
        child=serializers.CharField(), help_text="Of the credential that asks."
    )
    member_id = serializers.UUIDField()
    tenant = TenantOut()
    credential = CredentialOut()


class MeIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=200, required=False, allow_blank=True)
    locale = serializers.ChoiceField(
        choices=[code for code, _name in settings.LANGUAGES], required=False
    )


class MemberIn(serializers.Serializer[Any]):
    role = serializers.CharField(max_length=32, help_text="A role's name (GET /roles).")


class OwnershipIn(serializers.Serializer[Any]):
    member = serializers.UUIDField(help_text="Who is to be the owner.")


class MemberOut(RowSerializer[Member]):
    person = PersonOut()
    role = serializers.CharField(source="role_name")

    class Meta:
        model = Member
        fields = ("id", "person", "role", "created_at")


class RoleIn(StrictSerializer):
    name = serializers.RegexField(
        r"\A[a-z][a-z0-9-]{1,31}\Z",
        help_text="Lower-case letters, digits and hyphens, as it stands in a member's `role`.",
    )
    description = LineField(max_length=200, required=False, allow_blank=True)
    permissions = serializers.ListField(
        child=serializers.CharField(max_length=32), min_length=1, max_length=100
    )

    def validate_name(self, value: str) -> str:
        if value in set(Role):
            raise serializers.ValidationError(_("This is the name of a built-in role."))
        return value


class RoleOut(serializers.Serializer[Any]):
    id = serializers.UUIDField(allow_null=True, help_text="Null for a built-in role.")
    name = serializers.CharField()
    description = serializers.CharField()
    permissions = serializers.ListField(child=serializers.CharField())
    is_built_in = serializers.BooleanField()


class PermissionOut(serializers.Serializer[Any]):
    name = serializers.CharField(help_text="noun:verb")
    roles = serializers.ListField(child=serializers.CharField())
    is_scope = serializers.BooleanField()


class PermissionsOut(serializers.Serializer[Any]):
    """A list like the others; it has one page."""

    results = PermissionOut(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class RolesOut(serializers.Serializer[Any]):
    """A list like the others; it has one page."""

    results = RoleOut(many=True)
    next = serializers.CharField(allow_null=True)
    previous = serializers.CharField(allow_null=True)


class ApiKeyChange(StrictSerializer):
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=43),
        max_length=50,
        help_text="Addresses or networks (CIDR) that the key may be used from; none is everywhere.",
    )


class ApiKeyRotation(StrictSerializer):
    overlap_seconds = serializers.IntegerField(
        default=86_400,
        min_value=0,
        max_value=30 * 86_400,
        help_text="For how long the older key goes on beside the new one.",
    )


class ApiKeyIn(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=100)
    scopes = serializers.ListField(
        child=serializers.CharField(max_length=32),
        help_text="Of read, write, delete, one of these for the CRM alone (crm:read), or permissions"
        " (GET /permissions); or the presets admin (read, write and delete) and readonly.",
    )
    expires_at = serializers.DateTimeField(required=False, allow_null=True)
    allowed_networks = serializers.ListField(
        child=serializers.CharField(max_length=43),
        max_length=50,
        default=list,
        help_text="Addresses or networks (CIDR) that the key may be used from; none is everywhere.",
    )


_KEY_FIELDS = (
    "id",
    "name",
    "prefix",
    "scopes",
    "created_by",
    "created_at",
    "expires_at",
    "last_used_at",
    "revoked_at",
    "allowed_networks",
    "replaces",
)


class ApiKeyOut(RowSerializer[ApiKey]):
    """A key as it is listed: `prefix` is what its text begins with after `plz_`."""

    created_by = serializers.UUIDField(source="created_by_id", help_text="The id of the member.")
    replaces = serializers.UUIDField(
        source="replaces_id", allow_null=True, help_text="The key that it came in place of."
    )

    class Meta:
        model = ApiKey
        fields: tuple[str, ...] = _KEY_FIELDS


class NewApiKeyOut(ApiKeyOut):
    key = serializers.CharField(help_text="Shown this once.")

    class Meta(ApiKeyOut.Meta):
        fields = (*_KEY_FIELDS, "key")
