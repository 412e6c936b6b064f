"""Who asks: a token, a key, or a session. Answered before the gate, so that it knows whom to count."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlencode

from django.conf import settings
from django.contrib.auth.models import AnonymousUser
from django.db import OperationalError
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils import timezone
from django_htmx.http import HttpResponseClientRedirect

from config.api import as_domain_error
from config.cause import NOBODY, Cause, app_of, campaign_named, caused_by, tell_cause
from config.errors import DomainError
from config.handlers import refusal, wants_page
from config.needs import SAFE_METHODS, declared_by
from config.personal import hide_personal, personal_context
from tenants.address import address_of
from tenants.identity.caller import (
    ANONYMOUS,
    Caller,
    CallerKind,
    person_caller,
    snapshot_of,
    tenant_of,
)
from tenants.identity.demo import is_shut_out
from tenants.identity.factor_policy import refuse_without
from tenants.identity.hashing import digest
from tenants.identity.key_places import refuse_elsewhere
from tenants.identity.keys import find_key, key_caller, note_use
from tenants.identity.refusals import CredentialsMissing, SecondFactorRequired, TokenInvalid
from tenants.identity.sessions import safe_next, session_caller, session_of
from tenants.identity.signing import signing_key
from tenants.identity.tokens import member_by_access
from tenants.isolation import lookup_context
from tenants.models import ApiKey, Member, Tenant
from tenants.trail.origin import asked_by

SET_UP_PAGE = "/account/second-factor"


@dataclass(frozen=True, slots=True)
class _Found:
    caller: Caller
    member: Member
    key: ApiKey | None = None


class CallerMiddleware:
    """Set `request.caller`, `request.member` and, on a tenant's host, `request.user`; or answer 401 or 403.

    After TenantMiddleware. Views that are `public` are served to anybody, and know the caller when
    the credentials are good. Returns the refusal and never raises.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        signing_key()  # a bad TOKEN_SIGNING_KEY stops the start, by name

    def __call__(self, request: HttpRequest) -> HttpResponse:
        with asked_by(request), personal_context(), caused_by(NOBODY):
            _set(request, None)
            return self.get_response(request)

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: dict[str, Any]
    ) -> HttpResponse | None:
        if getattr(request, "tenant", None) is None:
            return None
        needs = declared_by(view)
        is_public = needs is not None and needs.public
        try:
            found = _identify(request)
            _set(request, found)
            tell_cause(_cause(view, found, kwargs))
            refuse_without(
                view, tenant=tenant_of(request), caller=found.caller, member=found.member
            )
        except (DomainError, OperationalError) as raised:
            error = as_domain_error(raised)
            return None if is_public or error is None else _refused(request, error)
        return None


def _set(request: HttpRequest, found: _Found | None) -> None:
    request.caller = found.caller if found else ANONYMOUS  # type: ignore[attr-defined]
    hide_personal(is_hidden=found is not None and not found.caller.sees_personal)
    request.member = found.member if found else None  # type: ignore[attr-defined]
    if getattr(request, "tenant", None) is not None:
        # Never an operator, whose Django session is the square's alone.
        request.user = found.member.person if found else AnonymousUser()


def _cause(view: Callable[..., Any], found: _Found, named: dict[str, Any]) -> Cause:
    holder = getattr(view, "cls", None) or getattr(view, "view_class", None) or view
    return Cause(
        app=app_of(holder.__module__),
        member=found.caller.member_id if found.key is None else None,
        api_key=found.key.pk if found.key else None,
        campaign=campaign_named(named),
    )


def _identify(request: HttpRequest) -> _Found:
    """Whoever the credentials prove. Raises CredentialsMissing and what the credential's kind raises."""
    given = request.headers.get("Authorization")
    if given is not None:
        found = _by_header(request, given)
        if is_shut_out(found.member.person, tenant=tenant_of(request)):
            raise TokenInvalid()
        return found
    # The API takes no sessions: a cookie is sent by any page, and the API asks for no CSRF token.
    if request.path_info.startswith("/api/"):
        raise CredentialsMissing()
    with lookup_context():
        found_session = session_of(request, now=timezone.now())
    if found_session is None or is_shut_out(found_session.member.person, tenant=tenant_of(request)):
        raise CredentialsMissing()
    return _Found(session_caller(found_session), found_session.member)


def _by_header(request: HttpRequest, given: str) -> _Found:
    """By what the tenant's snapshot knows of this credential, or by PostgreSQL, and then it knows."""
    scheme, _, credential = given.strip().partition(" ")
    now, snapshot = timezone.now(), snapshot_of(request)
    key = (scheme.lower(), digest(credential.strip()))
    known: _Found | None = snapshot.recall(key, now=now)
    if known is None:
        with lookup_context():
            known, until = _proved(*key, credential.strip(), tenant_of(request), now)
        snapshot.keep(key, known, until=until)
    if known.key is not None:
        refuse_elsewhere(known.key.allowed_networks, address_of(request))
        note_use(known.key, now=now)
    return known


def _proved(
    scheme: str, _digest: str, credential: str, tenant: Tenant, now: datetime
) -> tuple[_Found, datetime | None]:
    """Who has this credential, and until when by the clock alone."""
    match scheme:
        case "bearer":
            member, claims = member_by_access(token=credential, tenant=tenant, now=now)
            caller = person_caller(
                member,
                CallerKind.TOKEN,
                family=claims.family,
                has_second_factor=claims.has_second_factor,
            )
            return _Found(caller, member), claims.expires_at
        case "api-key":
            key = find_key(credential, tenant.pk, now)
            return _Found(key_caller(key), key.created_by, key), key.expires_at
    raise TokenInvalid()


def _refused(request: HttpRequest, error: DomainError) -> HttpResponse:
    """The refusal as the asker reads it: a person without a session, or a second factor, is sent on a page."""
    if isinstance(error, SecondFactorRequired) and wants_page(request):
        return HttpResponseRedirect(SET_UP_PAGE)
    return (
        _sent_to_sign_in(request)
        if isinstance(error, CredentialsMissing)
        else refusal(request, error)
    )


def _sent_to_sign_in(request: HttpRequest) -> HttpResponse:
    """A person; a program is told."""
    htmx = getattr(request, "htmx", False)
    if htmx:
        return HttpResponseClientRedirect(_sign_in_url(request.htmx.current_url_abs_path))  # type: ignore[attr-defined]
    if wants_page(request):
        came_for = request.get_full_path() if request.method in SAFE_METHODS else None
        return HttpResponseRedirect(_sign_in_url(came_for))
    return refusal(request, CredentialsMissing())


def _sign_in_url(came_for: str | None) -> str:
    path = safe_next(came_for)
    return (
        settings.LOGIN_URL if path == "/" else f"{settings.LOGIN_URL}?{urlencode({'next': path})}"
    )
