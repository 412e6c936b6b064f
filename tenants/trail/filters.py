"""What a trail can be narrowed by."""

from typing import Any
from uuid import UUID

from django.db.models import Q, QuerySet
from django_filters import rest_framework as filters

from config.errors import ValidationFailed
from config.filters import MomentFilter, StrictFilterSet, WholeNumberFilter, text_filter
from tenants.trail.models import TrailEvent

_LONGEST_SEARCH = 100
_SEARCHED = ("action", "object_id", "object_label", "address", "request_id")
Rows = QuerySet[TrailEvent]


class TrailFilter(StrictFilterSet):
    """`?actor=` is the id of a member, key, person or operator; `?action=` a name or its noun ("member").

    `?from=` and `?to=` bound the moment, the end excluded.
    """

    actor = filters.UUIDFilter(method="by_actor")
    actor_kind = text_filter()
    action = text_filter(method="by_action")
    object = text_filter(field_name="object_id")
    object_kind = text_filter()
    request_id = text_filter()
    number__gt = WholeNumberFilter(field_name="number", lookup_expr="gt")
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)
    to = MomentFilter(field_name="recorded_at", lookup_expr="lt")
    # A word of Python's own.
    locals()["from"] = MomentFilter(field_name="recorded_at", lookup_expr="gte")

    def by_actor(self, queryset: Rows, name: str, value: UUID) -> Rows:
        return queryset.filter(Q(actor_id=value) | Q(person_id=value) | Q(operator_id=value))

    def by_action(self, queryset: Rows, name: str, value: str) -> Rows:
        is_whole = "." in value
        return queryset.filter(**{"action" if is_whole else "action__startswith": _noun(value)})

    def by_search(self, queryset: Rows, name: str, value: str) -> Rows:
        found = Q()
        for field in _SEARCHED:
            found |= Q(**{f"{field}__icontains": value})
        return queryset.filter(found)


def _noun(value: str) -> str:
    return value if "." in value else f"{value}."


def narrowed(asked: Any) -> Rows:
    """The trail under a query's filters, the oldest first. Raises ValidationFailed."""
    found = TrailFilter(asked, TrailEvent.objects.order_by("number"))
    if not found.is_valid():
        raise ValidationFailed(errors=found.errors)
    rows: Rows = found.qs
    return rows
