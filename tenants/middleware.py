"""Host -> tenant: which stall a request is for, before anything else is asked. And, last, from which server it reads."""

from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponsePermanentRedirect
from django.utils import timezone
from django.utils.cache import patch_vary_headers

from config.api import problem_response
from config.context import reading_from_replica
from config.errors import BadHost, DomainError, NotFound, ServiceUnavailable, UnknownHost
from config.logs import logger
from tenants.finding import Find, tenant_id_at, ways_to_find
from tenants.hosts import TenantMoved, api_host, asked_host, moved_from
from tenants.identity.api_host import (
    TenantNotNamed,
    known_snapshot,
    remembered,
    tenant_asked_for,
)
from tenants.isolation import lookup_context, square_context, tenant_context
from tenants.metrics import count_request
from tenants.models import Tenant
from tenants.outdated import OutOfDate
from tenants.replicas import may_read_replica, replica
from tenants.services import url_of
from tenants.snapshots import TenantSnapshot, serving, snapshots
from tenants.streaming import kept_here

log = logger(__name__)
READ_FROM = "X-Read-From"
_PROGRAM_PATHS = ("/api/", "/openapi.json")
_DOCUMENTS = frozenset({"/openapi.json", "/docs"})


class PermanentRedirect(HttpResponsePermanentRedirect):
    """308: like 301, and the method stays. Not kept: a tenant may take its old name back."""

    status_code = 308

    def __init__(self, address: str) -> None:
        super().__init__(address, headers={"Cache-Control": "no-store"})


class TenantMiddleware:
    """Find the tenant of the host, bind it to the context, or answer 400 or 404.

    Returns the refusal and never raises. The square is `PLAZA_DOMAIN` itself; at `api.<PLAZA_DOMAIN>`
    the credentials or `X-Tenant` name the tenant.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        try:
            name = asked_host(request)
        except BadHost as refusal:
            return problem_response(refusal)
        if name == settings.PLAZA_DOMAIN:
            return self._public(request, settings.PUBLIC_SCHEMA_URLCONF)
        try:
            return self._for_programs(request) if name == api_host() else self._stall(request, name)
        except DomainError as refusal:
            return problem_response(refusal)

    def _public(self, request: HttpRequest, urlconf: str) -> HttpResponse:
        request.tenant = None  # type: ignore[attr-defined]
        request.urlconf = urlconf
        with square_context():
            return kept_here(self.get_response(request))

    def _stall(self, request: HttpRequest, name: str) -> HttpResponse:
        ways = ways_to_find(lambda: snapshots.at_host(name), lambda: tenant_id_at(name))
        response = self._found(request, ways, settings.ROOT_URLCONF, host=name)
        if response is not None:
            return response
        with lookup_context():
            moved = moved_from(name)
        if moved is None:
            raise UnknownHost()
        return _lead_on(request, moved)

    def _for_programs(self, request: HttpRequest) -> HttpResponse:
        """`api.<PLAZA_DOMAIN>`: the API and its description, without pages and cookies."""
        path = request.path_info
        if not path.startswith("/api/v1/") and path not in _DOCUMENTS:
            raise NotFound()
        request.COOKIES = {}
        if path in _DOCUMENTS:
            response = self._public(request, settings.API_URLCONF)
        else:
            response = self._program(request)
        response.cookies.clear()
        patch_vary_headers(response, ["Authorization", "X-Tenant"])
        return response

    def _program(self, request: HttpRequest) -> HttpResponse:
        def asked_for() -> UUID:
            with lookup_context():
                return remembered(request, tenant_asked_for(request, now=timezone.now())).pk

        ways = ways_to_find(lambda: known_snapshot(request), asked_for)
        response = self._found(request, ways, settings.API_URLCONF)
        if response is None:
            raise TenantNotNamed()
        return response

    def _found(
        self, request: HttpRequest, ways: Sequence[Find], urlconf: str, *, host: str | None = None
    ) -> HttpResponse | None:
        """The answer of the tenant found by the first way that is not out of date; None where there is none."""
        for find in ways:
            snapshot = find()
            if snapshot is None or (host is not None and host not in snapshot.hosts):
                return None
            response = self._inside(request, snapshot, urlconf)
            if not isinstance(response, OutOfDate):
                count_request(snapshot.tenant.id, response.status_code)
                return response
            snapshots.forget(snapshot.tenant.pk)
        raise ServiceUnavailable()  # the last way is never out of date

    def _inside(self, request: HttpRequest, snapshot: TenantSnapshot, urlconf: str) -> HttpResponse:
        request.tenant = snapshot.tenant  # type: ignore[attr-defined]
        request.snapshot = snapshot  # type: ignore[attr-defined]
        request.urlconf = urlconf
        with tenant_context(snapshot.tenant), serving(snapshot):
            return kept_here(self.get_response(request))


def _lead_on(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    """To the tenant's present name: a page redirects, a program is told."""
    address = url_of(tenant) + request.get_full_path()
    is_read = request.method in {"GET", "HEAD"}
    if is_read and not request.path_info.startswith(_PROGRAM_PATHS):
        return PermanentRedirect(address)
    raise TenantMoved(url=address)


class ReplicaMiddleware:
    """`X-Read-From: replica` lets a GET of a tenant read from the replica; the answer tells which it was.

    The last of all: who asks, and whether they may, was found out at the primary. A tenant that wrote
    within the last second reads from the primary, and so does everybody while the replica is away.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = self.get_response(request)
        if _asks_for_replica(request):
            response.headers.setdefault(READ_FROM, "primary")
        if settings.DATABASE_REPLICA is not None:
            patch_vary_headers(response, [READ_FROM])
        return response

    def process_view(
        self,
        request: HttpRequest,
        view: Callable[..., HttpResponse],
        args: tuple[Any, ...],
        kwargs: dict[str, Any],
    ) -> HttpResponse | None:
        tenant: Tenant | None = getattr(request, "tenant", None)
        if tenant is None or request.method not in {"GET", "HEAD"}:
            return None
        if not _asks_for_replica(request) or not may_read_replica(tenant.id):
            return None
        with reading_from_replica() as reading:
            response = _attempt(request, view, args, kwargs)
        if reading.is_unreachable:
            replica().pause("unreachable")
        if response is None or not reading.has_read:
            return response
        response.headers[READ_FROM] = "replica"
        return response


def _asks_for_replica(request: HttpRequest) -> bool:
    return request.headers.get(READ_FROM, "").strip().lower() == "replica"


def _attempt(
    request: HttpRequest,
    view: Callable[..., HttpResponse],
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
) -> HttpResponse | None:
    """The view's answer, or None when the primary shall be asked: only success is the replica's to tell.

    What is not found may not have arrived yet; a write is refused there; the server may go away.
    """
    try:
        response = view(request, *args, **kwargs)
        rendered: HttpResponse = response.render() if hasattr(response, "render") else response
    except Exception as error:  # noqa: BLE001 (whatever it is: the primary raises it again, or answers)
        log.info("replica.gave_way", extra={"reason": type(error).__name__})
        return None
    if rendered.status_code >= 400:
        log.info("replica.gave_way", extra={"reason": str(rendered.status_code)})
        return None
    return rendered
