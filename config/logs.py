"""JSON logs: one event per moment, with tenant and request id bound once; no personal data."""

import logging
import re
from collections.abc import Callable, MutableMapping
from typing import Any

import structlog
from django.http import HttpRequest, HttpResponse
from django_structlog.middlewares import RequestMiddleware

from config.context import bound_request_id, current_tenant, request_id
from config.ids import new_id
from config.messages import REQUEST_HEADER, TENANT_HEADER, at_work
from config.personal import without_personal

# By the name under which django-structlog logs requests.
_requests = logging.getLogger("django_structlog.middlewares.request")
_ACCEPTED_REQUEST_ID = re.compile(r"[A-Za-z0-9._-]{8,64}")


def _where(_: object, __: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    """Stamp the tenant and the request of this moment; of a task that has ended, those of its message."""
    tenant = current_tenant()
    tenant_id = str(tenant.id) if tenant else at_work(TENANT_HEADER)
    if tenant_id:
        event.setdefault("tenant_id", tenant_id)
    of_request = request_id() or at_work(REQUEST_HEADER)
    if of_request:
        event.setdefault("request_id", of_request)
    return event


def _without_request_objects(
    _: object, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Django hangs the request itself on its log records; spelled out it would show the query."""
    if isinstance(event.get("request"), HttpRequest):
        event["request"] = f"{event['request'].method} {event['request'].path}"
    return event


def _without_details(
    _: object, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """PostgreSQL's DETAIL names the values that broke a constraint: somebody's e-mail, often."""
    for raised in event.get("exception") or ():
        if isinstance(raised, dict):
            raised["exc_value"] = str(raised.get("exc_value", "")).split("\nDETAIL:")[0]
    return event


def _without_personal(
    _: object, __: str, event: MutableMapping[str, Any]
) -> MutableMapping[str, Any]:
    """Whoever logs an e-mail or a phone by mistake, in a message or a fact: it is masked here, for every line."""
    for name, value in event.items():
        if isinstance(value, (str, list, dict)):
            event[name] = without_personal(value)
    return event


SHARED_PROCESSORS: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.stdlib.add_logger_name,
    structlog.stdlib.add_log_level,
    structlog.stdlib.ExtraAdder(),
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    _where,
    _without_request_objects,
]
FINAL_PROCESSORS: list[Any] = [
    structlog.stdlib.ProcessorFormatter.remove_processors_meta,
    # Without locals: they hold passwords, keys and bodies.
    structlog.processors.ExceptionRenderer(
        structlog.tracebacks.ExceptionDictTransformer(show_locals=False)
    ),
    _without_details,
    _without_personal,
    structlog.processors.JSONRenderer(default=str),
]
structlog.configure(
    processors=[
        structlog.stdlib.filter_by_level,
        *SHARED_PROCESSORS,
        structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
    ],
    logger_factory=structlog.stdlib.LoggerFactory(),
    cache_logger_on_first_use=True,
)


def logger(name: str) -> logging.Logger:
    """A logger for `name`; events are `entity.past_participle`, facts go in `extra`."""
    return logging.getLogger(name)


class RequestLogMiddleware(RequestMiddleware):
    """One line for each answered request, with its tenant. Without the query: it may hold a code."""

    def prepare(self, request: HttpRequest) -> None:
        if _requests.isEnabledFor(logging.DEBUG):
            super().prepare(request)  # tells of the beginning too
            return
        structlog.contextvars.bind_contextvars(request_id=request.META["HTTP_X_REQUEST_ID"])

    def handle_response(self, request: HttpRequest, response: HttpResponse) -> None:
        # The tenant's own middleware lies further in and has let go of it by now.
        tenant = getattr(request, "tenant", None)
        if tenant is not None:
            structlog.contextvars.bind_contextvars(tenant_id=str(tenant.id))
        if response.streaming or hasattr(request, "_raised_exception"):
            super().handle_response(request, response)
            return
        level = self._log_level_for_status_code(response.status_code)
        if _requests.isEnabledFor(level):
            facts = {"code": response.status_code, "request": self.format_request(request)}
            _requests.log(level, "request_finished", extra=facts)
        structlog.contextvars.clear_contextvars()

    @staticmethod
    def format_request(request: HttpRequest) -> str:
        return f"{request.method} {request.path}"


class RequestIdMiddleware:
    """Give each request one id: the client's when it is well-formed, else a new one; answer with it."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        given = request.META.get("HTTP_X_REQUEST_ID", "")
        chosen = given if _ACCEPTED_REQUEST_ID.fullmatch(given) else str(new_id())
        request.META["HTTP_X_REQUEST_ID"] = chosen
        # A middleware before us may have read `headers`, which is made from META once and kept.
        request.__dict__.pop("headers", None)
        with bound_request_id(chosen):
            response = self.get_response(request)
        response["X-Request-ID"] = chosen
        return response
