"""Webhook endpoints and their deliveries, for owners and admins."""

from uuid import UUID

from django.utils import timezone
from django_filters import rest_framework as filters
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place, require_tenant
from config.filters import NoFilters, StrictFilterSet, text_filter
from config.needs import Needs, Permission
from config.serializers import parse_changes
from tenants.models import WebhookDelivery
from tenants.outbound import deliveries, endpoints
from tenants.outbound.serializers import (
    DeliveryOut,
    EndpointChange,
    EndpointIn,
    EndpointOut,
    EndpointWithSecret,
)

_ADMINS = Needs(
    read=Permission.WEBHOOKS_READ,
    write=Permission.WEBHOOKS_WRITE,
    delete=Permission.WEBHOOKS_DELETE,
)


class WebhookEndpoints(ViewSet):
    """The tenant's endpoints, newest first."""

    needs = _ADMINS
    place = Place.SQUARE
    serializer_class = EndpointOut
    filter_backends = (NoFilters,)

    @extend_schema(responses=EndpointOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(endpoints.endpoints_of(require_tenant().id))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(EndpointOut(page, many=True).data)

    @extend_schema(request=EndpointIn, responses={201: EndpointWithSecret})
    def create(self, request: Request) -> Response:
        """Register an address. Its secret is in this answer and in no other."""
        made, secret = endpoints.add(
            tenant_id=require_tenant().id, now=timezone.now(), **parse(EndpointIn, request.data)
        )
        return Response(EndpointWithSecret(made, context={"secret": secret}).data, status=201)


class WebhookEndpointDetail(View):
    """One endpoint."""

    needs = _ADMINS
    place = Place.SQUARE

    @extend_schema(responses=EndpointOut)
    def get(self, request: Request, pk: UUID) -> Response:
        found = endpoints.endpoint_of(tenant_id=require_tenant().id, endpoint_id=pk)
        return Response(EndpointOut(found).data)

    @extend_schema(request=EndpointChange, responses=EndpointOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        wish = parse_changes(EndpointChange, request.data)
        changed = endpoints.change(
            tenant_id=require_tenant().id, endpoint_id=pk, wish=wish, now=timezone.now()
        )
        return Response(EndpointOut(changed).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        endpoints.remove(tenant_id=require_tenant().id, endpoint_id=pk)
        return Response(status=204)


class WebhookSecret(View):
    """A new secret for an endpoint; for a day both sign."""

    needs = _ADMINS
    place = Place.SQUARE

    @extend_schema(request=None, responses=EndpointWithSecret)
    def post(self, request: Request, pk: UUID) -> Response:
        changed, secret = endpoints.rotate(
            tenant_id=require_tenant().id, endpoint_id=pk, now=timezone.now()
        )
        return Response(EndpointWithSecret(changed, context={"secret": secret}).data)


class DeliveryFilters(StrictFilterSet):
    event = text_filter()
    endpoint = filters.UUIDFilter(field_name="endpoint_id")
    status = filters.ChoiceFilter(choices=WebhookDelivery.Status.choices)


class WebhookDeliveries(ViewSet):
    """What was sent to the tenant's endpoints in the last 30 days, newest first."""

    needs = _ADMINS
    place = Place.SQUARE
    serializer_class = DeliveryOut
    filterset_class = DeliveryFilters
    queryset = WebhookDelivery.objects.none()

    @extend_schema(responses=DeliveryOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(deliveries.deliveries_of(require_tenant().id))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(DeliveryOut(page, many=True).data)


class WebhookRedelivery(View):
    """Send a delivery once more, under its id."""

    needs = _ADMINS
    place = Place.SQUARE

    @extend_schema(request=None, responses={202: DeliveryOut})
    def post(self, request: Request, pk: UUID) -> Response:
        row = deliveries.redeliver(
            tenant_id=require_tenant().id, delivery_id=pk, now=timezone.now()
        )
        return Response(DeliveryOut(row).data, status=202)
