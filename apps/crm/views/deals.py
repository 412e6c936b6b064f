"""`/pipelines` and `/deals`."""

from collections.abc import Collection
from typing import Any, cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters_deals import DealFilter, PipelineFilter
from apps.crm.models import Deal, Pipeline
from apps.crm.serializers.deals import DealIn, DealNamed, DealOut, PipelineIn, PipelineOut
from apps.crm.services import deals, pipelines
from apps.crm.services.batches import single
from apps.crm.services.batches.deals import DEALS
from apps.crm.services.pipelines import PipelineValues
from apps.crm.views.batches import Archiving, BatchActions, BatchRead, batch_schema
from config.api import ViewSet, parse
from config.needs import Feature, Needs, Permission
from config.serializers import BatchOut, batch_of, parse_changes

_NEEDS = Needs(
    feature=Feature.CRM,
    read=Permission.DEALS_READ,
    write=Permission.DEALS_WRITE,
    delete=Permission.DEALS_DELETE,
)


class PipelineViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Orders of stages through which deals go."""

    needs = _NEEDS
    queryset = Pipeline.objects.prefetch_related("stages")
    serializer_class = PipelineOut
    filterset_class = PipelineFilter
    ordering_fields = ("-id", "name")
    lookup_value_converter = "uuid"

    @extend_schema(request=PipelineIn, responses={201: PipelineOut})
    def create(self, request: Request) -> Response:
        values = cast("PipelineValues", parse(PipelineIn, request.data))
        pipeline = pipelines.create(values=values, now=timezone.now())
        return Response(PipelineOut(pipeline).data, status=201)

    @extend_schema(request=PipelineIn, responses=PipelineOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change what the body names; `stages` are all of them, those there already with their `id`."""
        values = cast("PipelineValues", parse_changes(PipelineIn, request.data))
        return Response(PipelineOut(pipelines.change(pipeline_id=pk, values=values)).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete a pipeline in which no deal is."""
        pipelines.delete(pipeline_id=pk)
        return Response(status=204)


@batch_schema(DealIn)
class DealViewSet(
    BatchActions, Archiving, mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet
):
    """What may be sold, and how far it is."""

    needs = _NEEDS
    queryset = Deal.objects.all()
    serializer_class = DealOut
    filterset_class = DealFilter
    ordering_fields = ("-id", "created_at")
    lookup_value_converter = "uuid"
    batch_noun = DEALS

    @extend_schema(request=DealIn, responses={201: DealOut})
    def create(self, request: Request) -> Response:
        pk = single.create(DEALS, parse(DealIn, request.data), now=timezone.now())
        return Response(_told(pk), status=201)

    @extend_schema(request=DealIn, responses=DealOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        """Change what the body names; another `stage_id` moves the deal, one that is won or lost closes it."""
        values = parse_changes(DealIn, request.data)
        return Response(_told(single.change(DEALS, pk, values, now=timezone.now())))

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the deal with its notes and tasks."""
        deals.delete(deal_id=pk)
        return Response(status=204)


@extend_schema(request=batch_of(DealNamed), responses={207: BatchOut})
class DealBatchRead(BatchRead):
    needs = Needs(feature=Feature.CRM, read=Permission.DEALS_READ, write=Permission.DEALS_READ)
    noun, model = DEALS, Deal

    def rows_of(self, ids: Collection[UUID]) -> dict[UUID, Any]:
        return {deal.pk: DealOut(deal).data for deal in Deal.objects.filter(pk__in=ids)}


def _told(pk: UUID) -> Any:
    return DealOut(Deal.objects.get(pk=pk)).data
