"""`/contacts` and what belongs to one: batches, the archive, consents."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import ConsentFilter, ContactFilter, upsert_key
from apps.crm.models import Consent, Contact
from apps.crm.serializers.people import (
    ConsentIn,
    ConsentOut,
    ContactDetailOut,
    ContactIn,
    ContactNamed,
    ContactOut,
)
from apps.crm.services import consents, contact_rows, contacts
from apps.crm.services.batches.contacts import CONTACTS
from apps.crm.services.consents import ConsentValues
from apps.crm.services.contact_rows import ContactRow, ContactRows
from apps.crm.services.contacts import ContactValues, UpsertKey
from apps.crm.views.batches import KEY, Archiving, BatchActions, BatchRead, batch_schema
from config.api import ViewSet, parse
from config.filters import narrows
from config.needs import Feature, Needs, Permission
from config.pages import CursorPage
from config.quick_json import quick_answer
from config.serializers import BatchOut, batch_of, parse_changes


@batch_schema(ContactIn)
class ContactViewSet(BatchActions, Archiving, mixins.ListModelMixin, ViewSet):
    """People that the tenant knows; each counts against the plan's `contacts`."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.CONTACTS_READ,
        write=Permission.CONTACTS_WRITE,
        delete=Permission.CONTACTS_DELETE,
    )
    queryset = Contact.objects.all()
    serializer_class = ContactOut
    filterset_class = ContactFilter
    ordering_fields = ("-id", "created_at", "updated_at")
    lookup_value_converter = "uuid"
    batch_noun = CONTACTS

    def list(self, request: Request) -> HttpResponse:  # type: ignore[override]  # no Response
        # Without a filter no queryset is needed, whose SQL takes longer to word than to run.
        narrowed = self.filter_queryset(self.get_queryset()) if narrows(request) else None
        page = self.paginate_queryset(ContactRows(narrowed))  # type: ignore[arg-type]  # as a queryset
        return quick_answer(request, cast("CursorPage", self.paginator).parts(page))

    @extend_schema(responses=ContactDetailOut)
    def retrieve(self, request: Request, pk: UUID) -> HttpResponse:
        """A contact with the count and the sums of its orders."""
        return quick_answer(request, contact_rows.detail(pk))

    @extend_schema(
        parameters=[KEY], request=ContactIn, responses={201: ContactOut, 200: ContactOut}
    )
    def create(self, request: Request) -> HttpResponse:
        """Add a contact; with `?key=email`, change the one that has it and answer 200."""
        key = upsert_key(request.query_params.get("key"))
        contact, is_new = _saved(_values(request.data), key)
        return quick_answer(request, contact, status=201 if is_new else 200)

    @extend_schema(request=ContactIn, responses=ContactOut)
    def update(self, request: Request, pk: UUID) -> HttpResponse:
        """Make the contact what the body says and nothing else."""
        contact = contacts.replace(contact_id=pk, values=_values(request.data), now=timezone.now())
        return quick_answer(request, contact)

    @extend_schema(request=ContactIn, responses=ContactOut)
    def partial_update(self, request: Request, pk: UUID) -> HttpResponse:
        values = cast("ContactValues", parse_changes(ContactIn, request.data))
        contact = contacts.change(contact_id=pk, values=values, now=timezone.now())
        return quick_answer(request, contact)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the contact with its orders and consents; the plan gets its unit back."""
        contacts.delete(contact_id=pk, now=timezone.now())
        return Response(status=204)

    @extend_schema(request=None, responses=ContactOut)
    @action(detail=True, methods=["post"])
    def archive(self, request: Request, pk: UUID) -> HttpResponse:
        """Take the contact out of lists. It still counts against the plan."""
        contact = contacts.set_archived(contact_id=pk, archived=True, now=timezone.now())
        return quick_answer(request, contact)

    @extend_schema(request=None, responses=ContactOut)
    @action(detail=True, methods=["post"])
    def restore(self, request: Request, pk: UUID) -> HttpResponse:
        contact = contacts.set_archived(contact_id=pk, archived=False, now=timezone.now())
        return quick_answer(request, contact)


@extend_schema(request=batch_of(ContactNamed), responses={207: BatchOut})
class ContactBatchRead(BatchRead):
    needs = Needs(
        feature=Feature.CRM, read=Permission.CONTACTS_READ, write=Permission.CONTACTS_READ
    )
    noun, model = CONTACTS, Contact

    def rows_of(self, ids: Collection[UUID]) -> dict[UUID, ContactRow]:
        return contact_rows.these(ids)


class ConsentViewSet(mixins.ListModelMixin, ViewSet):
    """What a contact allowed and withdrew, newest first. Words are added, never changed."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.CONTACTS_READ,
        write=Permission.CONTACTS_WRITE,
        delete=Permission.CONTACTS_DELETE,
    )
    queryset = Consent.objects.all()
    serializer_class = ConsentOut
    filterset_class = ConsentFilter
    ordering_fields = ("-recorded_at",)

    def get_queryset(self) -> QuerySet[Consent]:
        if getattr(self, "swagger_fake_view", False):
            return Consent.objects.none()
        contact_id = self.kwargs["contact_id"]
        contact_rows.get(contact_id)
        return Consent.objects.filter(contact_id=contact_id)

    @extend_schema(request=ConsentIn, responses={201: ConsentOut})
    def create(self, request: Request, contact_id: UUID) -> Response:
        values = cast("ConsentValues", parse(ConsentIn, request.data))
        consent = consents.record(contact_id=contact_id, values=values, now=timezone.now())
        return Response(ConsentOut(consent).data, status=201)


def _values(data: Any) -> ContactValues:
    return cast("ContactValues", parse(ContactIn, data))


def _saved(values: ContactValues, key: str | None) -> tuple[ContactRow, bool]:
    """(contact, whether it is new)."""
    now = timezone.now()
    if key is None:
        return contacts.create(values=values, now=now), True
    return contacts.upsert(key=cast("UpsertKey", key), values=values, now=now)
