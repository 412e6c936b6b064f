"""For which names the proxy may obtain certificates: what Caddy's on-demand TLS asks before each.

`GET /tls/ask?domain=<name>`: 200 for the square, `api.<PLAZA_DOMAIN>`, tenants' subdomains (also those
that still lead to a tenant's new name) and proved domains of their own, 404 for everything else. So
nobody can make us ask a certificate authority for names that are not ours until it refuses us.

Source: Caddy's documentation of `on_demand_tls`: any 2xx allows, everything else refuses.
"""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from config.api import problem_response
from config.errors import DomainError
from tenants.address import is_from_outside
from tenants.hosts import api_host, is_host_name, moved_from
from tenants.identity.throttles import by_address, limited
from tenants.isolation import lookup_context
from tenants.models import Domain, Tenant
from tenants.services import TenantMigrating, TenantNotReady

PATH = "/tls/ask"
# Of one asker. A proxy asks once for each certificate that it has not in memory, so only a flood of
# handshakes with invented names comes near it.
RATE = "1200/m"


class CertificateMiddleware:
    """Answers the proxy before the host is looked at: it asks by the address of this very process."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if request.path_info != PATH:
            return self.get_response(request)
        if request.method not in {"GET", "HEAD"} or is_from_outside(request):
            return _answer(404)
        try:
            limited(request, group="tls-ask", keys=by_address(request), rate=RATE)
        except DomainError as refusal:
            return problem_response(refusal)
        return _answer(200 if is_ours(request.GET.get("domain", "")) else 404)


def is_ours(name: str) -> bool:
    """Whether we answer at `name`, a host name as a TLS handshake says it. At most two queries."""
    name = name.lower().removesuffix(".") if name.isascii() else ""
    if not is_host_name(name):
        return False
    if name in {settings.PLAZA_DOMAIN, api_host()}:
        return True
    with lookup_context():
        known = Domain.objects.filter(domain=name).exclude(tenant__status=Tenant.Status.CLOSED)
        return known.exists() or _leads_on(name)


def _leads_on(name: str) -> bool:
    try:
        return moved_from(name) is not None
    except (TenantNotReady, TenantMigrating):
        return True  # there is such a tenant: it answers in a moment


def _answer(status: int) -> HttpResponse:
    return HttpResponse(
        status=status, content_type="text/plain", headers={"Cache-Control": "no-store"}
    )
