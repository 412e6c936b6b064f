"""What a tenant may and what it has used, which a refused tenant reaches too; and the events of its ledger."""

from typing import Any

import msgspec
from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse, problem
from config.context import require_tenant
from config.errors import DomainError
from config.needs import Needs, Permission
from config.serializers import BatchOut, batch_of
from quotas import correcting, explanations, ledger, reporting
from quotas.caps.serializers import spend_cap
from quotas.caps.standing import spending
from quotas.entitlements import snapshot
from quotas.filters import UsageEventFilter
from quotas.models import UsageEvent
from quotas.reading import batch_of_reports, one_report
from quotas.reporting import Stored
from quotas.serializers import (
    CorrectionIn,
    EntitlementsOut,
    ExplainIn,
    ExplanationOut,
    UsageEventIn,
    UsageEventOut,
    UsageOut,
    entitlements,
    explained,
)
from quotas.shares import shares_used
from tenants.identity.caller import caller_of

_REACHABLE = Needs(read=Permission.USAGE_READ, critical=True, meter=None)
# To report usage costs no API calls: whose calls are used up must not lose what it has to report.
_REPORTING = Needs(read=Permission.USAGE_READ, write=Permission.USAGE_WRITE, meter=None)


class Usage(View):
    """Every meter: its limit, and what is used and left of it; what use above limits costs; and the shares."""

    needs = _REACHABLE

    @extend_schema(operation_id="usage", responses=UsageOut)
    def get(self, request: Request) -> Response:
        tenant, now = require_tenant(), timezone.now()
        found = snapshot(tenant.id, now=now)
        spent = spending(tenant.id, found, now=now)
        facts = {
            "plan": found.plan,
            "meters": ledger.usage_under(found, now=now),
            "spend_cap": spend_cap(spent) if spent.is_of_use else None,
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
    """Why a request of the last days was refused: the rule, the plan and grants behind it, and the counter.

    Owner, admin and billing see every refusal of the tenant, others those of their own credential;
    404 for all else. A refusal can be asked for about a second after it, for PLAZA_EXPLAIN_DAYS.
    """

    needs = _REACHABLE

    @extend_schema(
        operation_id="usage_explain",
        parameters=[OpenApiParameter("request_id", str, required=True)],
        responses=ExplanationOut,
    )
    def get(self, request: Request) -> Response:
        wish = parse(ExplainIn, request.query_params)
        found = explanations.find(
            tenant_id=require_tenant().id,
            request_id=wish["request_id"],
            of=explanations.shown_to(caller_of(request)),
        )
        return Response(ExplanationOut(explained(found)).data)


class UsageEventViewSet(mixins.ListModelMixin, ViewSet):
    """The ledger: what was reported, taken, given back and corrected; the newest first."""

    needs = _REPORTING
    queryset = UsageEvent.objects.none()
    serializer_class = UsageEventOut
    filterset_class = UsageEventFilter
    ordering_fields = ("-id",)

    def get_queryset(self) -> QuerySet[UsageEvent]:
        return UsageEvent.objects.filter(tenant_id=require_tenant().id)

    @extend_schema(request=UsageEventIn, responses={201: UsageEventOut, 200: UsageEventOut})
    def create(self, request: Request) -> Response:
        """Count one event. 201; 200 with what is stored where the key is known with this body."""
        report = one_report(request._request)  # noqa: SLF001 - DRF's way to the raw body
        outcome = reporting.record(
            tenant_id=require_tenant().id, reports=[report], now=timezone.now()
        )[0]
        if isinstance(outcome, DomainError):
            raise outcome
        status = 201 if outcome.is_new else 200
        return Response(UsageEventOut(outcome.event).data, status=status)


class UsageEventBatch(View):
    """Up to 1,000 events: each counts, is known, or is refused by itself."""

    needs = _REPORTING

    @extend_schema(request=batch_of(UsageEventIn), responses={207: BatchOut})
    def post(self, request: Request) -> HttpResponse:
        reports = batch_of_reports(request._request)  # noqa: SLF001 - DRF's way to the raw body
        outcomes = reporting.record(
            tenant_id=require_tenant().id, reports=reports, now=timezone.now()
        )
        results = [_result(index, outcome) for index, outcome in enumerate(outcomes)]
        body = msgspec.json.encode({"results": results}, enc_hook=str)
        answer = HttpResponse(body, status=207, content_type="application/json")
        answer.refusals = {  # type: ignore[attr-defined]  # for the gate, which explains them
            index: outcome
            for index, outcome in enumerate(outcomes)
            if isinstance(outcome, DomainError)
        }
        return answer


def _result(index: int, outcome: Stored | DomainError) -> dict[str, Any]:
    if isinstance(outcome, DomainError):
        return {"index": index, "status": outcome.status, "error": problem(outcome)}
    status = 201 if outcome.is_new else 200
    return {"index": index, "status": status, "id": outcome.event["id"]}


class UsageEventByKey(View):
    """One reported event."""

    needs = _REPORTING

    @extend_schema(operation_id="usage_events_retrieve", responses=UsageEventOut)
    def get(self, request: Request, key: str) -> Response:
        return Response(UsageEventOut(correcting.find(tenant_id=require_tenant().id, key=key)).data)


class UsageEventCorrections(View):
    """Change what was reported, by a signed quantity and with a reason."""

    needs = _REPORTING

    @extend_schema(request=CorrectionIn, responses={201: UsageEventOut, 200: UsageEventOut})
    def post(self, request: Request, key: str) -> Response:
        wish = parse(CorrectionIn, request.data)
        made, is_new = correcting.correct(
            tenant_id=require_tenant().id, event_key=key, now=timezone.now(), **wish
        )
        return Response(UsageEventOut(made).data, status=201 if is_new else 200)
