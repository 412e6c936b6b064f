"""The way in by a tenant's own provider: out to it, back, and once the question for a password."""

from datetime import timedelta
from typing import Any

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from apps.portal.pages import OPEN, page
from billing.services import sso_joining
from billing.services.sso_joining import ProofNeeded
from config.context import Place, require_tenant
from config.errors import DomainError
from tenants.identity import entering, openid_client
from tenants.identity.noting import note_failed_sign_in
from tenants.identity.openid import Identity, identity_of
from tenants.identity.passwords import guard_sign_in
from tenants.identity.refusals import InvalidCredentials, OpenIdRefused
from tenants.identity.sessions import safe_next
from tenants.identity.sso import connections
from tenants.identity.throttles import by_address, limited
from tenants.models import Member, SsoConnection

_PER_ADDRESS = "120/m"
_KEPT, _LIFE = "plaza_sso", timedelta(minutes=10)


@page(OPEN, "GET", place=Place.SQUARE)
def depart(request: HttpRequest) -> HttpResponse:
    """`/login/sso?next=`: on to the tenant's provider."""
    limited(request, group="openid", keys=by_address(request), rate=_PER_ADDRESS)
    provider = connections.provider_of(_connection())
    came_for = safe_next(request.GET.get("next"))
    return HttpResponseRedirect(openid_client.departure(request, provider, came_for=came_for))


@page(OPEN, "GET", place=Place.SQUARE)
def come_back(request: HttpRequest) -> HttpResponse:
    """`/login/sso/callback`: a known identity is signed in, a new one joins, an account's owner is asked."""
    limited(request, group="openid", keys=by_address(request), rate=_PER_ADDRESS)
    found, now = _connection(), timezone.now()
    claims, kept = openid_client.returned(request, connections.provider_of(found))
    identity, came_for = identity_of(claims), str(kept.get("came_for", "/"))
    told = {found.role_claim: claims.get(found.role_claim), "name": claims.get("name")}
    try:
        member = sso_joining.member_of(found, identity) or sso_joining.join(
            found, identity=identity, claims=told, now=now
        )
    except ProofNeeded:
        request.session[_KEPT] = {
            "identity": [identity.issuer, identity.subject, identity.email],
            "claims": told,
            "came_for": came_for,
            "until": (now + _LIFE).timestamp(),
        }
        return _question(request, identity)
    return _signed_in(request, found, member, came_for)


@page(OPEN, "POST", place=Place.SQUARE)
def link(request: HttpRequest) -> HttpResponse:
    """`/login/sso/link`: the account's password links it to the provider's identity, for this tenant."""
    found, now = _connection(), timezone.now()
    kept: dict[str, Any] = request.session.get(_KEPT) or {}
    if not kept or kept["until"] <= now.timestamp():
        raise OpenIdRefused()
    identity = Identity(*kept["identity"])
    guard_sign_in(request, email=identity.email)
    password = request.POST.get("password", "")
    try:
        member = sso_joining.link(
            found, identity=identity, password=password, claims=kept["claims"], now=now
        )
    except InvalidCredentials as refused:
        note_failed_sign_in(email=identity.email, tenant_id=found.tenant_id)
        return _question(request, identity, refused)
    return _signed_in(request, found, member, kept["came_for"])


def _connection() -> SsoConnection:
    return connections.connection_of(require_tenant().id)


def _signed_in(
    request: HttpRequest, found: SsoConnection, member: Member, came_for: str
) -> HttpResponse:
    now = timezone.now()
    onward = entering.enter(request, member=member, now=now, onward=came_for)
    connections.used(found, now=now)
    return HttpResponseRedirect(onward)


def _question(
    request: HttpRequest, identity: Identity, error: DomainError | None = None
) -> HttpResponse:
    facts = {"email": identity.email, "error": error}
    return render(request, "portal/sso_link.html", facts, status=error.status if error else 200)
