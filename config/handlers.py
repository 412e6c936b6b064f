"""What is answered where no view answers: problem+json for programs, a page for people."""

import sys

from django.conf import settings
from django.core.exceptions import RequestDataTooBig
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.dateparse import parse_datetime

from config.api import problem_response
from config.errors import (
    DomainError,
    FormExpired,
    InternalError,
    NotFound,
    ParseFailed,
    PayloadTooLarge,
    PermissionDenied,
    ServiceUnavailable,
)

_PROGRAM_PATHS = ("/api/", "/webhooks/", "/openapi.json")


def support(request: HttpRequest) -> dict[str, str]:
    """For every page: where people get help, also who is refused everything else."""
    return {"support_url": settings.PLAZA_SUPPORT_URL}


def wants_page(request: HttpRequest) -> bool:
    """Whether a person's browser asked, and not for the API."""
    if request.path.startswith(_PROGRAM_PATHS):
        return False
    return "text/html" in request.headers.get("Accept", "")


def refusal(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The answer to `error` in the asker's language: HTML or problem+json."""
    if not wants_page(request):
        return problem_response(error)
    # Facts are JSON; a page writes the moment as all others.
    resets_at = parse_datetime(str(error.facts.get("resets_at") or ""))
    facts = {"error": error, "resets_at": resets_at}
    answer = render(request, "errors/refusal.html", facts, status=error.status)
    answer.refusal = error  # type: ignore[attr-defined]  # for the gate, which explains it
    for name, value in error.headers.items():
        answer[name] = value
    return answer


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    if isinstance(exception, RequestDataTooBig):
        return refusal(request, PayloadTooLarge(limit_bytes=settings.DATA_UPLOAD_MAX_MEMORY_SIZE))
    return refusal(request, ParseFailed())


def permission_denied(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, PermissionDenied())


def csrf_failed(request: HttpRequest, reason: str = "") -> HttpResponse:
    return refusal(request, FormExpired())


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    return refusal(request, NotFound())


def server_error(request: HttpRequest) -> HttpResponse:
    """500; or 503 where a server of ours is away, wherever in the house that was noticed."""
    is_away = isinstance(sys.exc_info()[1], OperationalError)
    return refusal(request, ServiceUnavailable() if is_away else InternalError())
