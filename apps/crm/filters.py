"""What the lists of crm can be narrowed by."""

from uuid import UUID

from django.db.models import F, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters

from apps.crm.models import Company, Consent, Contact, Import, Order, Tag
from apps.crm.models.people import ContactQuerySet
from config.errors import ValidationFailed
from config.filters import StrictFilterSet, text_filter

_MOMENT = ["gte", "gt", "lte", "lt"]
_LONGEST_SEARCH = 100


class ContactFilter(StrictFilterSet):
    """`?company=` by name or id, `?tag=` by name, `?search=` in name and e-mail; archived ones on request."""

    email = text_filter(method="by_email")
    phone = text_filter()
    external_id = text_filter()
    company = text_filter(method="by_company")
    tag = text_filter(method="by_tag")
    owner_id = filters.UUIDFilter()
    archived = filters.BooleanFilter(method="by_archived")
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)

    class Meta:
        model = Contact
        fields = {"created_at": _MOMENT, "updated_at": _MOMENT}

    def filter_queryset(self, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        if self.form.cleaned_data["archived"] is None:
            queryset = queryset.filter(archived_at__isnull=True)
        narrowed: QuerySet[Contact] = super().filter_queryset(queryset)
        return narrowed

    def by_email(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        return queryset.filter(email=value.lower())

    def by_company(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        try:
            return queryset.filter(company_id=UUID(value))
        except ValueError:
            named = queryset.alias(company_name=Lower("company__name"))
            return named.filter(company_name=Lower(Value(value)))

    def by_tag(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        tagged = queryset.alias(tag_name=Lower("contact_tags__tag__name"))
        return tagged.filter(tag_name=Lower(Value(value)))

    def by_archived(self, queryset: ContactQuerySet, name: str, value: bool) -> QuerySet[Contact]:  # noqa: FBT001  (django-filter's signature)
        return queryset.filter(archived_at__isnull=not value)

    def by_search(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        return queryset.search(value)


class CompanyFilter(StrictFilterSet):
    """`?search=` in the name."""

    name = text_filter(method="by_name")
    external_id = text_filter()
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)

    class Meta:
        model = Company
        fields = {"created_at": _MOMENT, "updated_at": _MOMENT}

    def by_name(self, queryset: QuerySet[Company], name: str, value: str) -> QuerySet[Company]:
        return queryset.alias(lowered=Lower("name")).filter(lowered=Lower(Value(value)))

    def by_search(self, queryset: QuerySet[Company], name: str, value: str) -> QuerySet[Company]:
        found = queryset.alias(lowered=Lower("name"))
        for word in value.lower().split():
            found = found.filter(lowered__contains=word)
        return found


class OrderFilter(StrictFilterSet):
    contact = filters.UUIDFilter(field_name="contact_id")
    external_id = text_filter()
    currency = text_filter()

    class Meta:
        model = Order
        fields = {"ordered_on": ["exact", *_MOMENT]}


class TagFilter(StrictFilterSet):
    name = text_filter(method="by_name")

    class Meta:
        model = Tag
        fields: list[str] = []

    def by_name(self, queryset: QuerySet[Tag], name: str, value: str) -> QuerySet[Tag]:
        return queryset.alias(lowered=Lower("name")).filter(lowered=Lower(Value(value)))


class ConsentFilter(StrictFilterSet):
    """`?current=true` leaves the latest word of each channel and purpose."""

    current = filters.BooleanFilter(method="by_current")

    class Meta:
        model = Consent
        fields = {"channel": ["exact"], "purpose": ["exact"], "status": ["exact"]}

    def filter_queryset(self, queryset: QuerySet[Consent]) -> QuerySet[Consent]:
        # The latest word is found first: `?current=true&status=granted` asks what is granted now.
        if self.form.cleaned_data["current"]:
            order = ("channel", "purpose", F("recorded_at").desc(), F("id").desc())
            latest = queryset.order_by(*order).distinct("channel", "purpose")
            queryset = queryset.filter(pk__in=latest.values("pk"))
        narrowed: QuerySet[Consent] = super().filter_queryset(queryset)
        return narrowed

    def by_current(self, queryset: QuerySet[Consent], name: str, value: bool) -> QuerySet[Consent]:  # noqa: FBT001  (django-filter's signature)
        return queryset


class ImportFilter(StrictFilterSet):
    class Meta:
        model = Import
        fields = {"status": ["exact"], "created_at": _MOMENT}


def upsert_key(value: str | None) -> str | None:
    """The `?key=` of a batch: None adds, a key changes what has it. Raises ValidationFailed."""
    if value not in {None, "email", "external_id"}:
        raise ValidationFailed(errors={"key": [_("One of email, external_id.")]})
    return value
