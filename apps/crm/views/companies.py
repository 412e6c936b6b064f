"""`/companies` and `/tags`."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import CompanyFilter, TagFilter
from apps.crm.models import Company, Tag
from apps.crm.serializers.people import CompanyIn, CompanyNamed, CompanyOut, TagIn, TagOut
from apps.crm.services import companies, tags
from apps.crm.services.batches.companies import COMPANIES
from apps.crm.services.companies import CompanyValues
from apps.crm.views.batches import BatchActions, BatchRead, batch_schema
from config.api import ViewSet, parse
from config.needs import Feature, Needs, Permission
from config.serializers import BatchOut, batch_of, parse_changes


@batch_schema(CompanyIn)
class CompanyViewSet(BatchActions, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Organisations that contacts belong to."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.COMPANIES_READ,
        write=Permission.COMPANIES_WRITE,
        delete=Permission.COMPANIES_DELETE,
    )
    queryset = Company.objects.all()
    serializer_class = CompanyOut
    filterset_class = CompanyFilter
    ordering_fields = ("-id", "name")
    lookup_value_converter = "uuid"
    batch_noun = COMPANIES

    @extend_schema(request=CompanyIn, responses={201: CompanyOut})
    def create(self, request: Request) -> Response:
        values = cast("CompanyValues", parse(CompanyIn, request.data))
        company = companies.create(values=values, now=timezone.now())
        return Response(CompanyOut(company).data, status=201)

    @extend_schema(request=CompanyIn, responses=CompanyOut)
    def update(self, request: Request, pk: UUID) -> Response:
        """Make the company what the body says and nothing else."""
        values = cast("CompanyValues", parse(CompanyIn, request.data))
        company = companies.replace(company_id=pk, values=values, now=timezone.now())
        return Response(CompanyOut(company).data)

    @extend_schema(request=CompanyIn, responses=CompanyOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        values = cast("CompanyValues", parse_changes(CompanyIn, request.data))
        company = companies.change(company_id=pk, values=values, now=timezone.now())
        return Response(CompanyOut(company).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the company; its contacts stay."""
        companies.delete(company_id=pk)
        return Response(status=204)


@extend_schema(request=batch_of(CompanyNamed), responses={207: BatchOut})
class CompanyBatchRead(BatchRead):
    needs = Needs(
        feature=Feature.CRM, read=Permission.COMPANIES_READ, write=Permission.COMPANIES_READ
    )
    noun, model = COMPANIES, Company

    def rows_of(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return {row.pk: CompanyOut(row).data for row in Company.objects.filter(pk__in=ids)}


class TagViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Words that contacts are sorted by."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.CONTACTS_READ,
        write=Permission.CONTACTS_WRITE,
        delete=Permission.CONTACTS_DELETE,
    )
    queryset = Tag.objects.all()
    serializer_class = TagOut
    filterset_class = TagFilter
    ordering_fields = ("-id", "name")
    lookup_value_converter = "uuid"

    @extend_schema(request=TagIn, responses={201: TagOut})
    def create(self, request: Request) -> Response:
        tag = tags.create(name=parse(TagIn, request.data)["name"], now=timezone.now())
        return Response(TagOut(tag).data, status=201)

    @extend_schema(request=TagIn, responses=TagOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        tag = tags.rename(tag_id=pk, name=parse(TagIn, request.data)["name"])
        return Response(TagOut(tag).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Take the tag from every contact."""
        tags.delete(tag_id=pk)
        return Response(status=204)
