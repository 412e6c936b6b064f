"""The look of answers: problem+json, batches, and the base of every API view."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from typing import Any, cast

from django.conf import settings
from django.core.exceptions import PermissionDenied as DjangoPermissionDenied
from django.core.exceptions import RequestDataTooBig
from django.db import DatabaseError, OperationalError, transaction
from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.utils.encoding import force_str
from psycopg.errors import DeadlockDetected, SerializationFailure
from rest_framework import exceptions, viewsets
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer
from rest_framework.views import APIView, set_rollback

from config import errors, idempotency, readers
from config.context import Place, at_place, request_id
from config.errors import DomainError
from config.logs import logger
from config.needs import Needs

log = logger(__name__)
PROBLEM = "application/problem+json"
BATCH_LIMIT = 1_000
_TRIES_OF_AN_ITEM = 3

_BY_STATUS: dict[int, type[DomainError]] = {
    403: errors.PermissionDenied,
    404: errors.NotFound,
    405: errors.MethodNotAllowed,
    406: errors.NotAcceptable,
    413: errors.PayloadTooLarge,
    415: errors.UnsupportedMediaType,
}


def problem(error: DomainError) -> dict[str, Any]:
    """RFC 9457: type, title, status, detail, code, request_id, and the error's facts."""
    return {
        **error.facts,
        "type": f"/errors/{error.code}",
        "title": force_str(error.title),
        "status": error.status,
        "detail": error.detail,
        "code": error.code,
        "request_id": request_id(),
    }


def problem_response(error: DomainError) -> HttpResponse:
    """The answer to a refusal outside DRF: middleware and error handlers."""
    answer = JsonResponse(problem(error), status=error.status, content_type=PROBLEM)
    for name, value in error.headers.items():
        answer[name] = value
    return answer


def as_domain_error(raised: Exception) -> DomainError | None:
    """Translate what DRF and Django raise into one of ours; None for the unexpected."""
    if isinstance(raised, DomainError):
        return raised
    for kind, translate in _TRANSLATIONS:
        if isinstance(raised, kind):
            return translate(raised)
    return None


def _of_status(raised: Any) -> DomainError | None:
    known = _BY_STATUS.get(raised.status_code)
    return known(detail=force_str(raised.detail)) if known else None


def _database_away(raised: Any) -> DomainError:
    log.error("database.unavailable", exc_info=raised)
    return errors.ServiceUnavailable()


# The first that fits; the general DRF exception comes after its special cases.
_TRANSLATIONS: tuple[tuple[type[Exception], Callable[[Any], DomainError | None]], ...] = (
    (
        exceptions.ValidationError,
        lambda raised: errors.ValidationFailed(errors=_field_errors(raised.detail)),
    ),
    (exceptions.ParseError, lambda raised: errors.ParseFailed(detail=force_str(raised.detail))),
    (exceptions.APIException, _of_status),
    (
        RequestDataTooBig,
        lambda _: errors.PayloadTooLarge(limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE),
    ),
    (Http404, lambda _: errors.NotFound()),
    (DjangoPermissionDenied, lambda _: errors.PermissionDenied()),
    (OperationalError, _database_away),
)


def _field_errors(detail: Any) -> Any:
    """DRF's nested error details as plain strings; a bare list becomes `non_field_errors`."""
    if isinstance(detail, Mapping):
        return {_writable(name): _field_errors(value) for name, value in detail.items()}
    if isinstance(detail, Sequence) and not isinstance(detail, str):
        return [_field_errors(item) for item in detail]
    return _writable(detail)


def _writable(text: Any) -> str:
    """Messages repeat what the client sent; half of a surrogate pair cannot be written as UTF-8."""
    return force_str(text).encode(errors="replace").decode()


def exception_handler(raised: Exception, context: dict[str, Any]) -> Response | None:
    """DRF's hook: every refusal becomes one problem+json; the unexpected flies on to the 500 handler."""
    error = as_domain_error(raised)
    if error is None:
        return None
    set_rollback()
    headers = dict(error.headers)
    if isinstance(raised, exceptions.MethodNotAllowed):
        headers["Allow"] = ", ".join(context["view"].allowed_methods)
    answer = Response(problem(error), status=error.status, headers=headers, content_type=PROBLEM)
    answer.refusal = error  # type: ignore[attr-defined]  # for the gate, which explains it
    return answer


class View(APIView):
    """An API view. Declares `needs`; a POST with an Idempotency-Key is answered once.

    `place` SQUARE is for work on the square's tables (identity, billing) for the tenant in force.
    """

    needs: Needs
    place: Place | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _placed(self.place):
            return idempotency.once(
                request,
                lambda: cast("HttpResponse", super(View, self).dispatch(request, *args, **kwargs)),
                problem_response,
            )


class ViewSet(viewsets.GenericViewSet[Any]):
    """The same for routers: list, retrieve and the rest are the subclass's own methods."""

    needs: Needs
    place: Place | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        with _placed(self.place):
            return idempotency.once(
                request,
                lambda: cast(
                    "HttpResponse", super(ViewSet, self).dispatch(request, *args, **kwargs)
                ),
                problem_response,
            )


def _placed(place: Place | None) -> AbstractContextManager[None]:
    return nullcontext() if place is None else at_place(place)


def parse(serializer: type[BaseSerializer[Any]], data: Any, **context: Any) -> dict[str, Any]:
    """What the client wishes, as checked values. Raises ValidationFailed."""
    if context:
        return readers.read_anew(serializer, data, context=context)
    return readers.read(serializer, data)


def run_batch(data: Any, handle: Callable[[Any], tuple[int, str]]) -> Response:
    """207 with a result for each of `{"items": […]}`, up to 1,000, in order.

    `handle` takes one item, returns (status, id) or raises; each item commits or rolls back alone.
    """
    outcomes: list[dict[str, Any] | DomainError] = []
    for item in batch_items(data):
        try:
            status, found = _tried(item, handle)
            outcomes.append({"status": status, "id": found})
        except (DomainError, exceptions.APIException, DatabaseError) as raised:
            error = as_domain_error(raised)
            if error is None:
                raise
            outcomes.append(error)
    results, refusals = batch_results(outcomes)
    answer = Response({"results": results}, status=207)
    answer.refusals = refusals  # type: ignore[attr-defined]  # for the gate, which explains them
    return answer


def batch_items(data: Any) -> list[Any]:
    """The items of `{"items": […]}`. Raises ValidationFailed unless they are 1 to 1,000."""
    items = data.get("items") if isinstance(data, Mapping) else None
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH_LIMIT:
        raise errors.ValidationFailed(errors={"items": [f"A list of 1 to {BATCH_LIMIT} items."]})
    return items


def batch_results(
    outcomes: Iterable[dict[str, Any] | DomainError],
) -> tuple[list[dict[str, Any]], dict[int, DomainError]]:
    """What a batch answers of each item, in order, and {place: refusal}."""
    results, refusals = [], {}
    for index, outcome in enumerate(outcomes):
        if isinstance(outcome, DomainError):
            refusals[index] = outcome
            outcome = {"status": outcome.status, "error": problem(outcome)}  # noqa: PLW2901
        results.append({"index": index, **outcome})
    return results, refusals


def _tried(item: Any, handle: Callable[[Any], tuple[int, str]]) -> tuple[int, str]:
    """Do one item in a savepoint; again when PostgreSQL chose it to give way to another writer."""
    for _ in range(_TRIES_OF_AN_ITEM - 1):
        try:
            with transaction.atomic():
                return handle(item)
        except OperationalError as raised:
            if not isinstance(raised.__cause__, DeadlockDetected | SerializationFailure):
                raise
    with transaction.atomic():
        return handle(item)
