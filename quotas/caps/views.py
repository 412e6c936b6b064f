"""A tenant's spend cap: what usage above the included may cost in a billing period."""

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission
from quotas.caps.serializers import SpendCapIn, SpendCapOut, spend_cap
from quotas.caps.services import cap_spending
from quotas.caps.standing import spending
from quotas.entitlements import snapshot
from quotas.merging import Cap
from tenants.identity.caller import caller_of


class SpendCap(View):
    """The cap, and what the present billing period's usage has come to. A refused tenant reaches it."""

    needs = Needs(
        critical=True, meter=None, read=Permission.BILLING_READ, write=Permission.BILLING_WRITE
    )
    place = Place.SQUARE

    @extend_schema(operation_id="spend_cap", responses=SpendCapOut)
    def get(self, request: Request) -> Response:
        return _answer()

    @extend_schema(operation_id="spend_cap_change", request=SpendCapIn, responses=SpendCapOut)
    def put(self, request: Request) -> Response:
        """Holds for the next request. One below what is spent takes nothing away, and says so in `warnings`."""
        wish = parse(SpendCapIn, request.data)["cap"]
        cap_spending(
            tenant_id=require_tenant().id,
            cap=None if wish is None else Cap(wish["amount"], wish["currency"]),
            by=caller_of(request).credential_id,
            now=timezone.now(),
        )
        return _answer()


def _answer() -> Response:
    tenant_id, now = require_tenant().id, timezone.now()
    found = spending(tenant_id, snapshot(tenant_id, now=now), now=now)
    return Response(SpendCapOut(spend_cap(found)).data)
