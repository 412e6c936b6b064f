"""What a tenant may and what it has used. A refused tenant reaches both."""

from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import require_tenant
from config.needs import Needs
from quotas import explanations, ledger
from quotas.entitlements import snapshot
from quotas.serializers import (
    EntitlementsOut,
    ExplainIn,
    ExplanationOut,
    UsageOut,
    entitlements,
    explained,
)
from quotas.shares import shares_used

_REACHABLE = Needs(critical=True, meter=None)


class Usage(View):
    """Every meter: its limit, and what is used and left of it; and the tenant's shares of the machine."""

    needs = _REACHABLE

    @extend_schema(operation_id="usage", responses=UsageOut)
    def get(self, request: Request) -> Response:
        tenant, now = require_tenant(), timezone.now()
        found = snapshot(tenant.id, now=now)
        facts = {
            "plan": found.plan,
            "meters": ledger.usage_under(found, now=now),
            "shares": shares_used(tenant),
        }
        return Response(UsageOut(facts).data)


class Entitlements(View):
    """What the plan, add-ons and overrides switch on and allow."""

    needs = _REACHABLE

    @extend_schema(operation_id="entitlements", responses=EntitlementsOut)
    def get(self, request: Request) -> Response:
        found = snapshot(require_tenant().id, now=timezone.now())
        return Response(EntitlementsOut(entitlements(found)).data)


class Explain(View):
    """Why a request of the last days was refused: the rule, the plan and grants behind it, and the counter."""

    needs = _REACHABLE

    @extend_schema(
        operation_id="usage_explain",
        parameters=[OpenApiParameter("request_id", str, required=True)],
        responses=ExplanationOut,
    )
    def get(self, request: Request) -> Response:
        wish = parse(ExplainIn, request.query_params)
        found = explanations.find(tenant_id=require_tenant().id, request_id=wish["request_id"])
        return Response(ExplanationOut(explained(found)).data)
