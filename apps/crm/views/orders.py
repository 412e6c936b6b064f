"""`/orders`."""

from typing import cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import OrderFilter
from apps.crm.models import Order
from apps.crm.serializers.orders import OrderIn, OrderOut
from apps.crm.services import orders
from apps.crm.services.orders import OrderValues
from config.api import ViewSet, parse
from config.needs import Feature, Needs, Permission


class OrderViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Purchases of contacts."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.ORDERS_READ,
        write=Permission.ORDERS_WRITE,
        delete=Permission.ORDERS_DELETE,
    )
    queryset = Order.objects.all()
    serializer_class = OrderOut
    filterset_class = OrderFilter
    ordering_fields = ("-id", "ordered_on")
    lookup_value_converter = "uuid"

    @extend_schema(request=OrderIn, responses={201: OrderOut})
    def create(self, request: Request) -> Response:
        values = cast("OrderValues", parse(OrderIn, request.data))
        order = orders.create(values=values, now=timezone.now())
        return Response(OrderOut(order).data, status=201)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        orders.delete(order_id=pk)
        return Response(status=204)
