"""A tenant's wishes for its subscription: what they would cost, and to have them."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.serializers import ChangeOut
from billing.services import amending, coupons
from billing.services.amending import Amended
from billing.services.changes import change_subscription
from billing.subscription_shapes import (
    CouponIn,
    CouponOut,
    QuoteOut,
    WishIn,
    quote_answer,
    wish_of,
)
from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission

# Who must pay to go on must reach this while held.
_MONEY = Needs(
    read=Permission.BILLING_READ, write=Permission.BILLING_WRITE, meter=None, critical=True
)


def _answer(amended: Amended) -> Response:
    return Response(ChangeOut(amended.row, context={"consent_url": amended.consent_url}).data)


class SubscriptionPreview(View):
    """What a change would cost, to the cent of the invoice that follows."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="subscription_preview", request=WishIn, responses=QuoteOut)
    def post(self, request: Request) -> Response:
        wish = wish_of(parse(WishIn, request.data))
        quote = amending.preview(tenant_id=require_tenant().id, wish=wish, now=timezone.now())
        return Response(QuoteOut(quote_answer(quote)).data)


class SubscriptionChange(View):
    """More holds at once, less from the period's end on; another plan once the provider agrees."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="subscription_change", request=WishIn, responses=ChangeOut)
    def post(self, request: Request) -> Response:
        wish = wish_of(parse(WishIn, request.data))
        tenant_id = require_tenant().id
        return _answer(change_subscription(tenant_id=tenant_id, wish=wish, now=timezone.now()))


class SubscriptionCancel(View):
    """End what is paid for with its period."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="subscription_cancel", request=None, responses=ChangeOut)
    def post(self, request: Request) -> Response:
        return _answer(amending.cancel(tenant_id=require_tenant().id, now=timezone.now()))


class SubscriptionResume(View):
    """Call off the end, or the change, that waits for the period's end."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="subscription_resume", request=None, responses=ChangeOut)
    def post(self, request: Request) -> Response:
        return _answer(amending.resume(tenant_id=require_tenant().id, now=timezone.now()))


class CouponRedeem(View):
    """A discount by its code, from the next period on, or credit at once. A discount given with a change holds with that."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="coupon_redeem", request=CouponIn, responses={201: CouponOut})
    def post(self, request: Request) -> Response:
        code = parse(CouponIn, request.data)["code"]
        redeemed = coupons.redeem(tenant_id=require_tenant().id, code=code, now=timezone.now())
        return Response(CouponOut(redeemed).data, status=201)
