"""Refuse what state, plan, role, rate or quota do not allow, before the view."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import InterfaceError, OperationalError
from django.http import HttpRequest, HttpResponse
from django.utils import timezone

from config.api import View, ViewSet
from config.context import is_serving, request_id
from config.errors import DomainError, PermissionDenied, ServiceUnavailable
from config.handlers import refusal
from config.idempotency import leave_to_once
from config.ids import new_id
from config.logs import logger
from config.needs import Needs, declared_by
from quotas import explanations, flusher, gate
from quotas.costs import calls_kept, cost_of
from quotas.decision import Decision, late_decisions
from quotas.metrics import count_decision
from quotas.question import Question
from quotas.refusals import UsageRefused
from quotas.waiting_room import Overloaded, Place, waiting_room
from tenants.address import address_of
from tenants.identity.caller import caller_of
from tenants.models import Tenant
from tenants.outdated import OutOfDate
from tenants.snapshots import TenantSnapshot

log = logger(__name__)
# Counts as a tenant does that there is not.
_SQUARE = TenantSnapshot(Tenant(pk=UUID(int=0)), frozenset(), version=None)


class Gate:
    """One question, one round trip. After TenantMiddleware and CallerMiddleware.

    Returns the refusal and never raises, since DRF's handler does not see what is raised here.
    Which API calls are given back: quotas/costs.py.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        if is_serving() and settings.WEB_PROCESS_FLUSHES:
            flusher.start()

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            response = self.get_response(request)
        finally:
            place: Place | None = getattr(request, "place_at_work", None)
            if place is not None:
                waiting_room().leave(place)
                del request.place_at_work  # type: ignore[attr-defined]
        decision: Decision | None = getattr(request, "decision", None)
        if decision is None:
            return response
        throttled = _explain_view(request, response, decision)
        kept = calls_kept(response, request.question.cost)  # type: ignore[attr-defined]
        if response.streaming:
            # It is at work until the last byte is sent.
            # Django's own list of what is done when a response is closed.
            response._resource_closers.append(  # type: ignore[attr-defined]  # noqa: SLF001
                lambda: decision.settle(kept=kept)
            )
        else:
            decision.settle(kept=kept)
        return (throttled or decision).stamp(response)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *_: object
    ) -> HttpResponse | None:
        needs = declared_by(view)
        if getattr(request, "tenant", None) is None:
            return _at_square(request, needs)
        if needs is None:
            log.error("gate.undeclared_view", extra={"path": request.path})
            return refusal(request, PermissionDenied())
        asked = _question(request, needs, request.snapshot)  # type: ignore[attr-defined]
        return _answer(request, asked, _decided(request, asked, view))


def _at_square(request: HttpRequest, needs: Needs | None) -> HttpResponse | None:
    """The API that is everybody's is asked at the rate of an address; pages and webhooks have limits of their own."""
    if needs is None or not needs.public or not request.path_info.startswith("/api/"):
        return None
    asked = _question(request, needs, _SQUARE)
    return _answer(request, asked, gate.decide(asked))


def _answer(request: HttpRequest, asked: Question, decision: Decision) -> HttpResponse | None:
    """The refusal, or None: then the view answers."""
    if decision.is_out_of_date:
        return OutOfDate()
    request.decision, request.question = decision, asked  # type: ignore[attr-defined]
    count_decision(decision)
    if decision.refusal is None:
        return None
    _tell(request, asked, decision)
    return refusal(request, decision.refusal)


def _tell(request: HttpRequest, asked: Question, decision: Decision) -> None:
    log.info("gate.refused", extra=decision.told())
    if asked.snapshot is _SQUARE:
        return  # there is nobody who could ask why
    what = explanations.Asked(request_id(), request.method or "", request.path)
    explanations.explain(what, asked, decision)
    request.is_explained = True  # type: ignore[attr-defined]  # its page then links to the why


def _explain_view(
    request: HttpRequest, response: HttpResponse, decision: Decision
) -> Decision | None:
    """What a meter of the ledger refuses, in the view's transaction or of a batch, is explained like the rest.

    So is a rate that the view counts; its decision is the answer, for the headers.
    """
    throttled = None
    if decision.refusal is not None:
        return None
    for late in late_decisions(
        getattr(response, "refusal", None), _refused_items(response), decision
    ):
        count_decision(late)
        _tell(request, request.question, late)  # type: ignore[attr-defined]
        throttled = late if late.rates else None
    return throttled


def _refused_items(response: HttpResponse) -> Mapping[int, DomainError]:
    """What a batch refused, by the items' places (config/api.py)."""
    return getattr(response, "refusals", None) or {}


def _decided(request: HttpRequest, asked: Question, view: Callable[..., Any]) -> Decision:
    try:
        request.place_at_work = waiting_room().enter(  # type: ignore[attr-defined]
            asked.needs, is_bulk=asked.cost.is_bulk, tenant_id=asked.tenant.pk
        )
        return _by_the_gate(request, asked, view)
    except Overloaded as overloaded:
        return Decision(refusal=overloaded, rule="load")
    except (OperationalError, InterfaceError) as error:
        # Entitlements are not guessed: without PostgreSQL the gate is closed.
        log.error("gate.unavailable", extra={"reason": type(error).__name__})  # noqa: TRY400
        return Decision(refusal=ServiceUnavailable(), rule="unavailable")


def _by_the_gate(request: HttpRequest, asked: Question, view: Callable[..., Any]) -> Decision:
    request.unless_kept = None  # type: ignore[attr-defined]  # of a decision that was out of date
    decision = gate.decide(asked)
    if _may_be_a_repeat(request, view, decision):
        decision = gate.decide(replace(asked, cost=replace(asked.cost, calls=0)))
    return decision


def _may_be_a_repeat(request: HttpRequest, view: Callable[..., Any], decision: Decision) -> bool:
    """No calls are left, and what is asked may have been paid for already: config/idempotency.py will know."""
    refused = decision.refusal
    kind: Any = getattr(view, "cls", None) or getattr(view, "view_class", object)
    return (
        isinstance(refused, UsageRefused)
        and issubclass(kind, View | ViewSet)
        and leave_to_once(request, unless_kept=refused)
    )


def _question(request: HttpRequest, needs: Needs, snapshot: TenantSnapshot) -> Question:
    return Question(
        snapshot=snapshot,
        needs=needs,
        caller=caller_of(request),
        method=request.method or "",
        address=address_of(request),
        now=timezone.now(),
        holder=new_id().hex,
        cost=cost_of(request, needs),
    )
