"""A tenant's subscription: see, buy, change. Reachable also when everything else is refused."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.serializers import (
    CheckoutIn,
    CheckoutOut,
    PortalIn,
    PortalOut,
    SubscriptionOut,
)
from billing.services.changes import Offer, portal_url, start_checkout
from billing.services.subscriptions import subscription_of
from billing.services.what_if import month_of, replay
from billing.what_if_shapes import WhatIfIn, WhatIfOut, what_if_answer
from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission

# Who must pay to go on must reach this while held.
_MONEY = Needs(write=Permission.BILLING_WRITE, meter=None, critical=True)


class Subscription(View):
    """The tenant's plan, and what was paid for."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="subscription", responses=SubscriptionOut)
    def get(self, request: Request) -> Response:
        return Response(SubscriptionOut(subscription_of(require_tenant().id)).data)


class Checkout(View):
    """The address of the provider's page on which to pay."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="checkout", request=CheckoutIn, responses={201: CheckoutOut})
    def post(self, request: Request) -> Response:
        wish = parse(CheckoutIn, request.data)
        present = subscription_of(require_tenant().id)
        offer = Offer(
            plan=wish["plan"],
            interval=wish.get("interval", present.interval),
            currency=wish.get("currency", present.currency),
            provider=wish["provider"],
            success_url=wish["success_url"],
        )
        checkout = start_checkout(tenant_id=present.tenant_id, offer=offer)
        return Response(CheckoutOut(checkout).data, status=201)


class BillingPortal(View):
    """The address of the provider's page for cards and invoices."""

    needs = _MONEY
    place = Place.SQUARE

    @extend_schema(operation_id="billing_portal", request=PortalIn, responses={201: PortalOut})
    def post(self, request: Request) -> Response:
        wish = parse(PortalIn, request.data)
        url = portal_url(tenant_id=require_tenant().id, return_url=wish["return_url"])
        return Response(PortalOut({"url": url}).data, status=201)


class WhatIf(View):
    """A past month, or the present one so far, as it would have been on another plan."""

    needs = Needs(read=Permission.BILLING_READ, meter=None, critical=True)
    place = Place.SQUARE

    @extend_schema(operation_id="usage_what_if", parameters=[WhatIfIn], responses=WhatIfOut)
    def get(self, request: Request) -> Response:
        wish, now = parse(WhatIfIn, request.query_params), timezone.now()
        start = month_of(wish.get("month", ""), now=now)
        found = replay(tenant_id=require_tenant().id, plan=wish["plan"], start=start, now=now)
        return Response(WhatIfOut(what_if_answer(found)).data)
