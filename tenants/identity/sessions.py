"""Sessions for pages: a person, signed in at one tenant, in one browser.

The session names its tenant and member under keys of ours. Django's own sign-in is the operators'
(on the square), so a session of a tenant opens nothing there, nor at another tenant.
"""

from datetime import datetime

from django.conf import settings
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from config.logs import logger
from tenants.identity.caller import member_of, tenant_of
from tenants.identity.noting import note_failed_sign_in, note_sign_in, note_sign_out
from tenants.identity.passwords import prove_by_password
from tenants.identity.refusals import InvalidCredentials
from tenants.isolation import on_square
from tenants.models import Member, Person

__all__ = ["member_of", "open_session", "safe_next", "session_member", "sign_in", "sign_out"]

log = logger(__name__)
_TENANT, _MEMBER, _PROOF, _SINCE = "plaza_tenant", "plaza_member", "plaza_proof", "plaza_since"


@on_square()
def sign_in(request: HttpRequest, *, email: str, password: str, now: datetime) -> Member:
    """Prove by password, then open the session. Raises InvalidCredentials, RateLimited, ServiceUnavailable."""
    try:
        member = prove_by_password(request, email=email, password=password)
    except InvalidCredentials:
        note_failed_sign_in(email=email)
        raise
    open_session(request, member=member, now=now)
    return member


def open_session(request: HttpRequest, *, member: Member, now: datetime) -> None:
    """Start afresh: nothing that was in the browser's session before lives on, its key least of all."""
    with on_square():
        note_sign_in(member, by="session")
    request.session.flush()
    request.session[_TENANT] = str(member.tenant_id)
    request.session[_MEMBER] = str(member.pk)
    request.session[_PROOF] = member.person.get_session_auth_hash()
    request.session[_SINCE] = now.isoformat()
    rotate_token(request)
    log.info("session.opened", extra={"member_id": str(member.pk)})


def sign_out(request: HttpRequest) -> None:
    """Forget the session, on the server too."""
    member = getattr(request, "member", None)
    if member is not None:
        with on_square():
            note_sign_out(member, by="session")
    request.session.flush()


def session_member(request: HttpRequest) -> Member | None:
    """Whose session this is at the asked host, with their person; None for nobody's.

    Another tenant's session, a removed member's, and one from before a change of password, or before its
    person signed out everywhere, are nobody's.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    tenant = tenant_of(request)
    if request.session.get(_TENANT) != str(tenant.pk):
        return None
    member = (
        Member.objects.select_related("person")
        .filter(
            pk=request.session[_MEMBER],
            tenant=tenant,
            person__kind=Person.Kind.MEMBER,
            person__is_active=True,
        )
        .first()
    )
    if member is None or _is_ended(request, member.person):
        return None
    proof = member.person.get_session_auth_hash()
    return member if constant_time_compare(request.session.get(_PROOF, ""), proof) else None


def _is_ended(request: HttpRequest, person: Person) -> bool:
    if person.signed_out_at is None:
        return False
    return datetime.fromisoformat(request.session[_SINCE]) <= person.signed_out_at


def safe_next(value: str | None, *, otherwise: str = "/") -> str:
    """A path of this very host to go on to, or `otherwise`: a sign-in sends nobody elsewhere."""
    if not value or not value.startswith("/"):
        return otherwise
    return value if url_has_allowed_host_and_scheme(value, allowed_hosts=None) else otherwise
