"""How a tenant pays: list, choose, remove. A new card is entered at the provider's page (billing-portal)."""

from collections.abc import Iterable

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.method_shapes import PaymentMethodIn, PaymentMethodsOut
from billing.providers.bills import PaymentMethod
from billing.services import payment_methods
from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission

# Only who pays sees by what; and must reach it while held.
_MONEY = Needs(
    read=Permission.BILLING_READ, write=Permission.BILLING_WRITE, meter=None, critical=True
)


class PaymentMethods(View):
    """What the provider can charge for this tenant."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="payment_methods", responses=PaymentMethodsOut)
    def get(self, request: Request) -> Response:
        return _told(payment_methods.methods_of(require_tenant().id))


class PaymentMethodDefault(View):
    """Charge this one from now on."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(
        operation_id="payment_method_default", request=PaymentMethodIn, responses=PaymentMethodsOut
    )
    def post(self, request: Request) -> Response:
        wish = parse(PaymentMethodIn, request.data)
        return _told(payment_methods.choose(tenant_id=require_tenant().id, method_id=wish["id"]))


class PaymentMethodRemoval(View):
    """Let go of one; the one by which a subscription is paid stays."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(
        operation_id="payment_method_remove", request=PaymentMethodIn, responses=PaymentMethodsOut
    )
    def post(self, request: Request) -> Response:
        wish = parse(PaymentMethodIn, request.data)
        return _told(payment_methods.remove(tenant_id=require_tenant().id, method_id=wish["id"]))


def _told(methods: Iterable[PaymentMethod]) -> Response:
    return Response(PaymentMethodsOut({"results": list(methods)}).data)
