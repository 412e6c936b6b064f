"""What the lists of crm can be narrowed by."""

from typing import Any
from uuid import UUID

from django.db.models import F, Q, QuerySet, Value
from django.db.models.functions import Lower
from django.utils.translation import gettext as _
from django_filters import rest_framework as filters

from apps.crm.models import (
    Company,
    Consent,
    Contact,
    Import,
    Order,
    PrivacyRequest,
    Segment,
    Tag,
)
from apps.crm.models.people import ContactQuerySet
from config.errors import ValidationFailed
from config.filters import FlagFilter, StrictFilterSet, WholeNumberFilter, text_filter
from config.personal import refuse_hidden

_MOMENT = ["gte", "gt", "lte", "lt"]
_LONGEST_SEARCH = 100
_MOST_OF_A_KIND = 2**31 - 1
# So many ids of contacts are sent as a list, which indexes answer; more are left to the planner.
_FEW_CONTACTS = 1_000


class ContactFilter(StrictFilterSet):
    """`?company=` by name or id, `?tag=` or `?tags=` by the name of one, `?segment=` by id.

    `?search=` in name, e-mail and company; archived ones on request.
    """

    email = text_filter(method="by_email")
    phone = text_filter(method="by_phone")
    external_id = text_filter()
    company = text_filter(method="by_company")
    tag = text_filter(method="by_tag")
    tags = text_filter(method="by_tag")
    owner_id = filters.UUIDFilter()
    segment = filters.UUIDFilter(field_name="segment_members__segment_id")
    archived = FlagFilter(method="by_archived")
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)

    class Meta:
        model = Contact
        fields = {"created_at": _MOMENT, "updated_at": _MOMENT}

    def filter_queryset(self, queryset: QuerySet[Contact]) -> QuerySet[Contact]:
        if self.asked("archived") is None:
            queryset = queryset.filter(archived_at__isnull=True)
        narrowed: QuerySet[Contact] = super().filter_queryset(queryset)
        return narrowed

    def by_email(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        refuse_hidden()
        return queryset.filter(email=value.lower())

    def by_phone(self, queryset: ContactQuerySet, name: str, value: str) -> QuerySet[Contact]:
        refuse_hidden()
        return queryset.filter(phone=value)

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
    """`?amount__gte=` in minor units of `?currency=`.

    `?search=` for the beginning of the external id, and in the contact's name, e-mail and company.
    """

    contact = filters.UUIDFilter(field_name="contact_id")
    external_id = text_filter()
    currency = text_filter()
    amount__gte = WholeNumberFilter(field_name="amount_minor", lookup_expr="gte")
    amount__lte = WholeNumberFilter(field_name="amount_minor", lookup_expr="lte")
    quantity = WholeNumberFilter(max_value=_MOST_OF_A_KIND)
    quantity__gte = WholeNumberFilter(
        field_name="quantity", lookup_expr="gte", max_value=_MOST_OF_A_KIND
    )
    quantity__lte = WholeNumberFilter(
        field_name="quantity", lookup_expr="lte", max_value=_MOST_OF_A_KIND
    )
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)

    class Meta:
        model = Order
        fields = {"ordered_on": ["exact", *_MOMENT]}

    def filter_queryset(self, queryset: QuerySet[Order]) -> QuerySet[Order]:
        amounts = (self.asked("amount__gte"), self.asked("amount__lte"))
        if amounts != (None, None) and not self.asked("currency"):
            # 100 pesos are less than 50 dollars.
            raise ValidationFailed(errors={"currency": [_("Say the currency of the amount.")]})
        narrowed: QuerySet[Order] = super().filter_queryset(queryset)
        return narrowed

    def by_search(self, queryset: QuerySet[Order], name: str, value: str) -> QuerySet[Order]:
        people = Contact.objects.search(value).values_list("pk", flat=True)
        few = list(people[: _FEW_CONTACTS + 1])
        of_them: Any = few if len(few) <= _FEW_CONTACTS else people
        return queryset.filter(Q(external_id__startswith=value) | Q(contact_id__in=of_them))


class TagFilter(StrictFilterSet):
    name = text_filter(method="by_name")

    class Meta:
        model = Tag
        fields: list[str] = []

    def by_name(self, queryset: QuerySet[Tag], name: str, value: str) -> QuerySet[Tag]:
        return queryset.alias(lowered=Lower("name")).filter(lowered=Lower(Value(value)))


class SegmentFilter(StrictFilterSet):
    name = text_filter(method="by_name")
    external_id = text_filter()

    class Meta:
        model = Segment
        fields = {"kind": ["exact"]}

    def by_name(self, queryset: QuerySet[Segment], name: str, value: str) -> QuerySet[Segment]:
        return queryset.alias(lowered=Lower("name")).filter(lowered=Lower(Value(value)))


class ConsentFilter(StrictFilterSet):
    """`?current=true` leaves the latest word of each channel and purpose."""

    current = FlagFilter(method="by_current")

    class Meta:
        model = Consent
        fields = {"channel": ["exact"], "purpose": ["exact"], "status": ["exact"]}

    def filter_queryset(self, queryset: QuerySet[Consent]) -> QuerySet[Consent]:
        # The latest word is found first: `?current=true&status=granted` asks what is granted now.
        if self.asked("current"):
            order = ("channel", "purpose", F("recorded_at").desc(), F("id").desc())
            latest = queryset.order_by(*order).distinct("channel", "purpose")
            queryset = queryset.filter(pk__in=latest.values("pk"))
        narrowed: QuerySet[Consent] = super().filter_queryset(queryset)
        return narrowed

    def by_current(self, queryset: QuerySet[Consent], name: str, value: bool) -> QuerySet[Consent]:  # noqa: FBT001  (django-filter's signature)
        return queryset


class PrivacyRequestFilter(StrictFilterSet):
    """`?status=open&due_on__lte=` are those to be answered by then."""

    contact = filters.UUIDFilter(field_name="contact_id")

    class Meta:
        model = PrivacyRequest
        fields = {
            "status": ["exact"],
            "law": ["exact"],
            "kind": ["exact"],
            "due_on": ["lte", "gte"],
        }


class ImportFilter(StrictFilterSet):
    class Meta:
        model = Import
        fields = {"status": ["exact"], "created_at": _MOMENT}


def upsert_key(value: str | None) -> str | None:
    """The `?key=` of a batch: None adds, a key changes what has it. Raises ValidationFailed."""
    if value not in {None, "email", "external_id"}:
        raise ValidationFailed(errors={"key": [_("One of email, external_id.")]})
    return value
