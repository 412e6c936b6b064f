"""Pages of the sign-in with the platform's OpenID provider: tenant -> square -> provider -> square -> tenant."""

from collections.abc import Callable
from functools import wraps
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_GET, require_http_methods

from config.errors import DomainError, NotFound
from config.handlers import refusal
from config.needs import Needs, needs
from tenants.identity import crossing, entering, linking, openid
from tenants.identity.caller import tenant_of
from tenants.identity.noting import note_failed_sign_in
from tenants.identity.openid import Identity, Journey
from tenants.identity.passwords import guard_sign_in, member_by_password
from tenants.identity.refusals import InvalidCredentials
from tenants.identity.throttles import by_address, limited
from tenants.models import Person, Tenant
from tenants.services import address_at, host_of, is_slug, tenant_at

_OPEN = Needs(public=True, critical=True, meter=None)
_PER_ADDRESS = "120/m"  # a sign-in asks for three of these pages
Page = Callable[[HttpRequest], HttpResponse]


def _page(view: Page) -> Page:
    """Refusals of a page of this flow, as a page; and one limit for all of them."""

    @wraps(view)
    def answered(request: HttpRequest) -> HttpResponse:
        try:
            limited(request, group="openid", keys=by_address(request), rate=_PER_ADDRESS)
            return view(request)
        except DomainError as error:
            return refusal(request, error)

    return needs(_OPEN)(never_cache(answered))


# --- at the tenant -----------------------------------------------------------------------------------


@require_GET
@_page
def set_out(request: HttpRequest) -> HttpResponse:
    """`/login/openid?next=` at a tenant: off to the square, with the proof of this browser."""
    if not openid.is_offered():
        raise NotFound()
    proof = crossing.set_out(request, came_for=request.GET.get("next"))
    return HttpResponseRedirect(_square_departure(request, proof))


@require_GET
@_page
def arrive(request: HttpRequest) -> HttpResponse:
    """`/login/crossing?code=` at a tenant: the session opens."""
    now = timezone.now()
    member, path = crossing.arrive(request, code=request.GET.get("code", ""), now=now)
    onward = entering.enter(request, member=member, now=now, onward=path)
    return HttpResponseRedirect(onward)


# --- on the square -----------------------------------------------------------------------------------


@require_GET
@_page
def depart(request: HttpRequest) -> HttpResponse:
    """`/login/openid?tenant=<slug>&host=&proof=` on the square: on to the provider; without proof, first home."""
    tenant, proof = _tenant(request.GET.get("tenant", "")), request.GET.get("proof", "")
    host = crossing.home_of(tenant, request.GET.get("host", ""))
    if not crossing.is_proof(proof):
        return HttpResponseRedirect(f"{address_at(host)}/login/openid")
    journey = Journey(slug=tenant.slug, proof=proof, host=host)
    return HttpResponseRedirect(openid.departure(request, journey))


@require_GET
@_page
def come_back(request: HttpRequest) -> HttpResponse:
    """`/login/openid/callback`: a known identity crosses to its tenant, an unknown one is asked to link."""
    identity, journey = openid.returned(request)
    person = linking.person_of(identity)
    if person is not None:
        return _cross(person, journey)
    linking.keep_for_link(request, identity=identity, journey=journey, now=timezone.now())
    return _link_page(request, identity, journey)


@require_http_methods(["POST"])
@_page
def confirm_link(request: HttpRequest) -> HttpResponse:
    """`/login/openid/link`: the password of the account with that e-mail links the identity for good."""
    identity, journey = linking.kept_for_link(request, now=timezone.now())
    guard_sign_in(request, email=identity.email)
    tenant = _tenant(journey.slug)
    try:
        member = member_by_password(
            tenant=tenant,
            email=identity.email,
            password=request.POST.get("password", ""),
        )
    except InvalidCredentials as error:
        note_failed_sign_in(email=identity.email, tenant_id=tenant.pk)
        return _link_page(request, identity, journey, error=error)
    linking.link(identity=identity, member=member)
    linking.forget_link(request)
    return _cross(member.person, journey)


def _cross(person: Person, journey: Journey) -> HttpResponse:
    tenant = _tenant(journey.slug)
    # Asked again: a domain may have been given up while its person was at the provider.
    host = crossing.home_of(tenant, journey.host)
    code = crossing.issue_code(
        person=person, tenant=tenant, host=host, proof=journey.proof, now=timezone.now()
    )
    return HttpResponseRedirect(f"{address_at(host)}/login/crossing?{urlencode({'code': code})}")


def _link_page(
    request: HttpRequest, identity: Identity, journey: Journey, *, error: DomainError | None = None
) -> HttpResponse:
    tenant = _tenant(journey.slug)
    facts = {"email": identity.email, "organisation": tenant.organisation, "error": error}
    answer = render(request, "identity/link.html", facts, status=error.status if error else 200)
    # The form's answer leads to the tenant's host, which browsers hold against `form-action 'self'`.
    home = address_at(crossing.home_of(tenant, journey.host))
    answer._csp_update = {"form-action": [home]}  # type: ignore[attr-defined]  # noqa: SLF001
    return answer


def _tenant(slug: str) -> Tenant:
    # A name that is none (with a NUL, say) is not looked for.
    tenant = tenant_at(host_of(slug)) if is_slug(slug) else None
    if tenant is None:
        raise NotFound()
    return tenant


def _square_departure(request: HttpRequest, proof: str) -> str:
    asked = {
        "tenant": tenant_of(request).slug,
        "host": crossing.host_asked(request),
        "proof": proof,
    }
    return crossing.square_url(f"/login/openid?{urlencode(asked)}")
