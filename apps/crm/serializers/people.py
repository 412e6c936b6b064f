"""What clients say of, and read about, contacts, companies, tags and consent."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from apps.crm.models import Company, Consent, Contact, Tag
from apps.crm.models.people import EXTERNAL_ID_LENGTH, NAME_LENGTH
from apps.crm.services.phones import REGIONS
from config.serializers import LineField, PlainJSONField, RowSerializer, StrictSerializer, TextField

_MOST_TAGS = 100
_MOST_CUSTOM = 200
_CUSTOM_NAME_LENGTH = 100


class EmailAddressField(serializers.EmailField):
    """An address as a JSON string, in lower case."""

    def to_internal_value(self, data: Any) -> str:
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data).lower()


@extend_schema_field({"type": "object", "additionalProperties": True})
class CustomFields(PlainJSONField):
    """`{name: value}`. In a PATCH they are merged, and null removes one."""

    default_error_messages = {
        "shape": _("An object of custom fields by name."),
        "names": _("Up to {limit} fields, with names of 1 to {length} characters."),
    }

    def to_internal_value(self, data: Any) -> dict[str, Any]:
        if not isinstance(data, dict):
            self.fail("shape")
        if len(data) > _MOST_CUSTOM or any(
            not 0 < len(name) <= _CUSTOM_NAME_LENGTH for name in data
        ):
            self.fail("names", limit=_MOST_CUSTOM, length=_CUSTOM_NAME_LENGTH)
        return dict(super().to_internal_value(data))


class ContactIn(StrictSerializer):
    """A contact has at least an e-mail address, an external id, a phone or a name."""

    email = EmailAddressField(max_length=254, required=False, allow_null=True)
    external_id = LineField(max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True)
    first_name = LineField(max_length=NAME_LENGTH, required=False, allow_blank=True)
    last_name = LineField(max_length=NAME_LENGTH, required=False, allow_blank=True)
    phone = TextField(
        max_length=40,
        required=False,
        allow_null=True,
        help_text="With + and country code, or as dialled in `phone_region`.",
    )
    phone_region = serializers.ChoiceField(
        sorted(REGIONS), required=False, help_text="ISO 3166, like MX."
    )
    company = LineField(
        max_length=NAME_LENGTH,
        required=False,
        allow_null=True,
        help_text="The company's name; it is made when new.",
    )
    company_id = serializers.UUIDField(required=False, allow_null=True)
    tags = serializers.ListField(
        child=LineField(max_length=100), max_length=_MOST_TAGS, required=False
    )
    fields = CustomFields(required=False)  # type: ignore[assignment]
    owner_id = serializers.UUIDField(
        required=False, allow_null=True, help_text="A member's person: `person.id` of `/members`."
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        if "company" in attrs and "company_id" in attrs:
            raise serializers.ValidationError(
                {"company": _("Name the company by its name or by its id, not by both.")}
            )
        return attrs


class ContactNamed(StrictSerializer):
    """One of them."""

    id = serializers.UUIDField(required=False)
    email = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)


class ContactOut(RowSerializer[Contact]):
    company = serializers.CharField(source="company.name", default=None)
    tags = serializers.SerializerMethodField()

    class Meta:
        model = Contact
        fields = [
            "id",
            "external_id",
            "email",
            "first_name",
            "last_name",
            "phone",
            "company",
            "company_id",
            "tags",
            "fields",
            "owner_id",
            "archived_at",
            "created_at",
            "updated_at",
        ]

    def get_tags(self, contact: Contact) -> list[str]:
        return [tag.name for tag in contact.tags.all()]


class MoneyOut(serializers.Serializer[Any]):
    amount = serializers.IntegerField()
    currency = serializers.CharField()


class ContactDetailOut(ContactOut):
    """With what the contact has bought. `context["orders"]` is `services.contacts.orders_of`'s answer."""

    orders_count = serializers.SerializerMethodField()
    orders_total = serializers.SerializerMethodField()

    class Meta(ContactOut.Meta):
        fields = [*ContactOut.Meta.fields, "orders_count", "orders_total"]

    def get_orders_count(self, contact: Contact) -> int:
        return int(self.context["orders"][0])

    @extend_schema_field(MoneyOut(many=True))
    def get_orders_total(self, contact: Contact) -> list[dict[str, Any]]:
        return list(self.context["orders"][1])


class CompanyIn(StrictSerializer):
    name = LineField(max_length=NAME_LENGTH)
    external_id = LineField(max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True)
    domain = LineField(max_length=253, required=False, allow_blank=True)
    industry = LineField(max_length=100, required=False, allow_blank=True)
    fields = CustomFields(required=False)  # type: ignore[assignment]


class CompanyOut(RowSerializer[Company]):
    class Meta:
        model = Company
        fields = [
            "id",
            "external_id",
            "name",
            "domain",
            "industry",
            "fields",
            "created_at",
            "updated_at",
        ]


class CompanyNamed(StrictSerializer):
    """One of them."""

    id = serializers.UUIDField(required=False)
    name = serializers.CharField(required=False)
    external_id = serializers.CharField(required=False)


class TagIn(StrictSerializer):
    name = LineField(max_length=100)


class TagOut(RowSerializer[Tag]):
    class Meta:
        model = Tag
        fields = ["id", "name", "created_at"]


class ConsentIn(StrictSerializer):
    channel = serializers.ChoiceField(Consent.Channel.choices)
    purpose = serializers.ChoiceField(Consent.Purpose.choices)
    status = serializers.ChoiceField(Consent.Status.choices)
    source = LineField(  # type: ignore[assignment]
        max_length=200, help_text="How we know: a form, a call, a file."
    )
    proof = TextField(
        max_length=2_000,
        required=False,
        allow_blank=True,
        default="",
        help_text="What shows it: the form's wording, a recording, the id of a double opt-in.",
    )
    recorded_at = serializers.DateTimeField(required=False, allow_null=True, default=None)


class ConsentOut(RowSerializer[Consent]):
    class Meta:
        model = Consent
        fields = ["id", "channel", "purpose", "status", "source", "proof", "recorded_at"]
