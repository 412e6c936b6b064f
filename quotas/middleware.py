"""Refuse what state, plan, role, rate or quota do not allow, before the view."""

from collections.abc import Callable
from typing import Any

from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.errors import PermissionDenied, ServiceUnavailable
from config.handlers import refusal
from config.logs import logger
from config.needs import Needs, declared_by
from quotas import gate
from quotas.gate import Decision
from tenants.address import address_of
from tenants.identity.caller import caller_of

log = logger(__name__)


class Gate:
    """One question, one round trip. After TenantMiddleware and CallerMiddleware.

    Returns the refusal and never raises, since DRF's handler does not see what is raised here.
    API calls are given back when the work failed through us (5xx) or when a quota of the ledger
    refused it (402); an answer that tells the client of its own mistake counts.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        decision: Decision | None = getattr(request, "decision", None)
        if decision is None:
            return response
        decision.settle(kept=response.status_code < 500 and response.status_code != 402)
        return decision.stamp(response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponse | None:
        if getattr(request, "tenant", None) is None:
            return None
        needs = declared_by(view)
        if needs is None:
            log.error("gate.undeclared_view", extra={"path": request.path})
            return refusal(request, PermissionDenied())
        decision = _decided(request, needs)
        request.decision = decision  # type: ignore[attr-defined]
        if decision.refusal is None:
            return None
        log.info("gate.refused", extra={"code": decision.refusal.code})
        return refusal(request, decision.refusal)


def _decided(request: HttpRequest, needs: Needs) -> Decision:
    question = gate.Question(
        tenant=request.tenant,  # type: ignore[attr-defined]
        needs=needs,
        caller=caller_of(request),
        method=request.method or "",
        address=address_of(request),
        now=timezone.now(),
    )
    try:
        return gate.decide(question)
    except (OperationalError, InterfaceError) as error:
        # Entitlements are not guessed: without PostgreSQL the gate is closed.
        log.error("gate.unavailable", extra={"reason": type(error).__name__})  # noqa: TRY400
        return Decision(refusal=ServiceUnavailable())
