"""`/privacy-requests`, and all that is kept of one contact: shown, or erased."""

from typing import cast
from uuid import UUID

from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import PrivacyRequestFilter
from apps.crm.models import PrivacyRequest
from apps.crm.serializers.privacy import (
    ErasedOut,
    PersonalDataOut,
    PrivacyRequestContactIn,
    PrivacyRequestDoneOut,
    PrivacyRequestIn,
    PrivacyRequestOut,
    PrivacyRequestOutcomeIn,
    PrivacyRequestReasonIn,
    RetentionIn,
    RetentionOut,
    RetentionsOut,
)
from apps.crm.services.privacy import requests, retention, subjects
from apps.crm.services.privacy.requests import RequestValues
from config.api import View, ViewSet, parse
from config.needs import Needs, Permission
from config.personal import refuse_hidden
from config.quick_json import quick_answer
from tenants.identity.caller import caller_of

# Whatever the plan, and however a tenant stands with us: the law asks for it.
_NEEDS = Needs(
    read=Permission.PRIVACY_READ,
    write=Permission.PRIVACY_WRITE,
    delete=Permission.PRIVACY_DELETE,
    critical=True,
)


class PrivacyRequestViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What people asked for under a law, with the last day on which it may be answered."""

    needs = _NEEDS
    queryset = PrivacyRequest.objects.all()
    serializer_class = PrivacyRequestOut
    filterset_class = PrivacyRequestFilter
    ordering_fields = ("-id", "due_on")
    lookup_value_converter = "uuid"

    @extend_schema(request=PrivacyRequestIn, responses={201: PrivacyRequestOut})
    def create(self, request: Request) -> Response:
        values = cast("RequestValues", parse(PrivacyRequestIn, request.data))
        taken = requests.take(values=values, now=timezone.now())
        return Response(PrivacyRequestOut(taken).data, status=201)

    @extend_schema(request=PrivacyRequestContactIn, responses=PrivacyRequestOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Say whom an open request is about."""
        wish = parse(PrivacyRequestContactIn, request.data)
        named = requests.name_contact(request_id=pk, contact_id=wish["contact"])
        return Response(PrivacyRequestOut(named).data)

    @extend_schema(request=PrivacyRequestReasonIn, responses=PrivacyRequestOut)
    @action(detail=True, methods=["post"])
    def extend(self, request: Request, pk: UUID) -> Response:
        """Take the longer time that the law gives once."""
        wish = parse(PrivacyRequestReasonIn, request.data)
        extended = requests.extend(request_id=pk, reason=wish["reason"])
        return Response(PrivacyRequestOut(extended).data)

    @extend_schema(request=PrivacyRequestOutcomeIn, responses=PrivacyRequestDoneOut)
    @action(detail=True, methods=["post"])
    def complete(self, request: Request, pk: UUID) -> HttpResponse:
        """Do what was asked for (show, erase, withdraw consent), and close the request."""
        refuse_hidden()
        wish = parse(PrivacyRequestOutcomeIn, request.data)
        closed, done = requests.complete(
            request_id=pk,
            outcome=wish["outcome"],
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return quick_answer(request, {**PrivacyRequestOut(closed).data, **done})

    @extend_schema(request=PrivacyRequestReasonIn, responses=PrivacyRequestOut)
    @action(detail=True, methods=["post"])
    def refuse(self, request: Request, pk: UUID) -> Response:
        """Close it without doing it; who asked is told the reason."""
        wish = parse(PrivacyRequestReasonIn, request.data)
        refused = requests.refuse(
            request_id=pk,
            reason=wish["reason"],
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return Response(PrivacyRequestOut(refused).data)


class PersonalData(View):
    """All that is kept of one contact, in every table and file."""

    needs = _NEEDS

    @extend_schema(responses=PersonalDataOut)
    def get(self, request: Request, contact_id: UUID) -> HttpResponse:
        refuse_hidden()
        return quick_answer(request, subjects.data_of(contact_id=contact_id))

    @extend_schema(responses={200: ErasedOut})
    def delete(self, request: Request, contact_id: UUID) -> HttpResponse:
        """Erase the contact wherever it lies; the plan gets its unit back."""
        erased = subjects.erase(contact_id=contact_id, now=timezone.now())
        return quick_answer(request, {"erased": erased})


class Retention(View):
    """For how long which data is kept, and what the next night would let go of."""

    needs = _NEEDS

    @extend_schema(operation_id="retention", responses=RetentionsOut)
    def get(self, request: Request) -> Response:
        found = RetentionOut(retention.standing(now=timezone.now()), many=True).data
        return Response({"results": found, "next": None, "previous": None})


class RetentionOfClass(View):
    """The period of one class of data."""

    needs = _NEEDS

    @extend_schema(request=RetentionIn, responses=RetentionOut)
    def put(self, request: Request, name: str) -> Response:
        wish = parse(RetentionIn, request.data)
        chosen = retention.choose(name=name, days=wish["days"], now=timezone.now())
        return Response(RetentionOut(chosen).data)
