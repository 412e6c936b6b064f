"""Host -> tenant: which stall a request is for, before anything else is asked."""

import re
from collections.abc import Callable

from django.conf import settings
from django.core.exceptions import DisallowedHost
from django.http import HttpRequest, HttpResponse
from structlog.contextvars import bound_contextvars

from config.api import problem_response
from config.errors import BadHost, DomainError, UnknownHost
from tenants.isolation import square_context, tenant_context
from tenants.services import tenant_at

# Labels of 1 to 63 letters, digits and inner hyphens; one dot may end the name.
_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_HOST = re.compile(rf"{_LABEL}(?:\.{_LABEL})*\.?")
_LAST_PORT = 65_535


class TenantMiddleware:
    """Find the tenant of the host, bind it to the connection and the context, or answer 400 or 404.

    Returns the refusal and never raises. The square is `PLAZA_DOMAIN` itself.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            host = request.get_host()
        except DisallowedHost:
            return problem_response(BadHost())
        name, _, port = host.lower().partition(":")
        if not _HOST.fullmatch(name) or int(port or 0) > _LAST_PORT:
            return problem_response(BadHost())
        name = name.removesuffix(".")
        if name == settings.PLAZA_DOMAIN:
            return self._square(request)
        return self._stall(request, name)

    def _square(self, request: HttpRequest) -> HttpResponse:
        request.tenant = None  # type: ignore[attr-defined]
        request.urlconf = settings.PUBLIC_SCHEMA_URLCONF
        with square_context():
            return self.get_response(request)

    def _stall(self, request: HttpRequest, name: str) -> HttpResponse:
        with square_context():
            try:
                tenant = tenant_at(name)
            except DomainError as refusal:
                return problem_response(refusal)
        if tenant is None:
            return problem_response(UnknownHost())
        request.tenant = tenant  # type: ignore[attr-defined]
        request.urlconf = settings.ROOT_URLCONF
        with tenant_context(tenant), bound_contextvars(tenant_id=str(tenant.id)):
            return self.get_response(request)
