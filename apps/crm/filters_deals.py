"""What the lists of deals, pipelines, notes and tasks can be narrowed by."""

from django.db.models import QuerySet
from django.db.models.functions import Lower
from django_filters import rest_framework as filters

from apps.crm.models import Deal, Note, Pipeline, Task
from config.filters import FlagFilter, StrictFilterSet, text_filter

_MOMENT = ["gte", "gt", "lte", "lt"]
_LONGEST_SEARCH = 100


class PipelineFilter(StrictFilterSet):
    external_id = text_filter()

    class Meta:
        model = Pipeline
        fields: list[str] = []


class DealFilter(StrictFilterSet):
    """`?search=` in the name; archived ones on request."""

    external_id = text_filter()
    pipeline = filters.UUIDFilter(field_name="stage__pipeline_id")
    stage = filters.UUIDFilter(field_name="stage_id")
    contact = filters.UUIDFilter(field_name="contact_id")
    company = filters.UUIDFilter(field_name="company_id")
    owner_id = filters.UUIDFilter()
    archived = FlagFilter(method="by_archived")
    closed = FlagFilter(method="by_closed")
    search = filters.CharFilter(method="by_search", max_length=_LONGEST_SEARCH)

    class Meta:
        model = Deal
        fields = {"created_at": _MOMENT, "updated_at": _MOMENT}

    def filter_queryset(self, queryset: QuerySet[Deal]) -> QuerySet[Deal]:
        if self.asked("archived") is None:
            queryset = queryset.filter(archived_at__isnull=True)
        narrowed: QuerySet[Deal] = super().filter_queryset(queryset)
        return narrowed

    def by_archived(self, queryset: QuerySet[Deal], name: str, value: bool) -> QuerySet[Deal]:  # noqa: FBT001  (django-filter's signature)
        return queryset.filter(archived_at__isnull=not value)

    def by_closed(self, queryset: QuerySet[Deal], name: str, value: bool) -> QuerySet[Deal]:  # noqa: FBT001  (django-filter's signature)
        return queryset.filter(closed_at__isnull=not value)

    def by_search(self, queryset: QuerySet[Deal], name: str, value: str) -> QuerySet[Deal]:
        found = queryset.alias(lowered=Lower("name"))
        for word in value.lower().split():
            found = found.filter(lowered__contains=word)
        return found


class NoteFilter(StrictFilterSet):
    contact = filters.UUIDFilter(field_name="contact_id")
    company = filters.UUIDFilter(field_name="company_id")
    deal = filters.UUIDFilter(field_name="deal_id")

    class Meta:
        model = Note
        fields = {"created_at": _MOMENT}


class TaskFilter(NoteFilter):
    """`?done=false&assignee_id=&due_at__lte=` is what somebody has to do by then."""

    assignee_id = filters.UUIDFilter()
    done = FlagFilter(method="by_done")

    class Meta:
        model = Task
        fields = {"due_at": _MOMENT, "created_at": _MOMENT}

    def by_done(self, queryset: QuerySet[Task], name: str, value: bool) -> QuerySet[Task]:  # noqa: FBT001  (django-filter's signature)
        return queryset.filter(done_at__isnull=not value)
