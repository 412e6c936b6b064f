"""`/notes`, `/tasks`, and `/contacts/<id>/timeline`."""

from typing import Any, ClassVar
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters_deals import NoteFilter, TaskFilter
from apps.crm.models import Note, Task
from apps.crm.serializers.activities import MomentOut, NoteIn, NoteOut, TaskIn, TaskOut
from apps.crm.services import activities, contact_rows
from apps.crm.services.timeline import Timeline
from config.api import View, ViewSet, parse
from config.needs import Feature, Needs, Permission
from config.pages import CursorPage
from config.serializers import StrictSerializer, parse_changes
from tenants.identity.caller import caller_of

_NEEDS = Needs(
    feature=Feature.CRM,
    read=Permission.CONTACTS_READ,
    write=Permission.CONTACTS_WRITE,
    delete=Permission.CONTACTS_DELETE,
)


class ActivityViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    needs = _NEEDS
    lookup_value_converter = "uuid"
    model: ClassVar[Any]
    item: ClassVar[type[StrictSerializer]]

    def create(self, request: Request) -> Response:
        made = activities.create(
            self.model,
            values=parse(self.item, request.data),
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return Response(self.get_serializer(made).data, status=201)

    def partial_update(self, request: Request, pk: UUID) -> Response:
        values = parse_changes(self.item, request.data)
        changed = activities.change(self.model, activity_id=pk, values=values, now=timezone.now())
        return Response(self.get_serializer(changed).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        activities.delete(self.model, activity_id=pk)
        return Response(status=204)


@extend_schema(request=NoteIn)
class NoteViewSet(ActivityViewSet):
    """What somebody wrote down about a contact, a company or a deal."""

    model, item = Note, NoteIn
    queryset = Note.objects.all()
    serializer_class = NoteOut
    filterset_class = NoteFilter
    ordering_fields = ("-id", "created_at")


@extend_schema(request=TaskIn)
class TaskViewSet(ActivityViewSet):
    """What is to be done about a contact, a company or a deal."""

    model, item = Task, TaskIn
    queryset = Task.objects.all()
    serializer_class = TaskOut
    filterset_class = TaskFilter
    ordering_fields = ("-id", "created_at", "due_at")


class ContactTimeline(View):
    """Everything about a contact, newest first: orders, consents, notes, tasks, deals, segments."""

    needs = _NEEDS
    ordering_fields = ("-at",)

    @extend_schema(responses=MomentOut(many=True))
    def get(self, request: Request, contact_id: UUID) -> Response:
        contact_rows.get(contact_id)
        pages = CursorPage()
        found: Any = Timeline(contact_id)
        page = pages.paginate_queryset(found, request, view=self)
        return pages.get_paginated_response(MomentOut(page, many=True).data)
