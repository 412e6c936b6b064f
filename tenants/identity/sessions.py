"""Sessions for pages: a person, signed in at one tenant, in one browser.

The session names its tenant and member under keys of ours. Django's own sign-in is the operators'
(on the square), so a session of a tenant opens nothing there, nor at another tenant.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import F, QuerySet
from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.crypto import constant_time_compare
from django.utils.http import url_has_allowed_host_and_scheme

from config.logs import logger
from tenants.identity import sign_ins
from tenants.identity.caller import (
    Caller,
    CallerKind,
    caller_of,
    member_of,
    person_caller,
    tenant_of,
)
from tenants.identity.noting import note_sign_in, note_sign_out
from tenants.isolation import on_square
from tenants.models import Member, Person, SignIn

__all__ = [
    "member_of",
    "open_session",
    "safe_next",
    "session_caller",
    "session_of",
    "sign_out",
]

log = logger(__name__)
_TENANT, _MEMBER, _PROOF, _SINCE = "plaza_tenant", "plaza_member", "plaza_proof", "plaza_since"
_SIGN_IN = "plaza_sign_in"


@dataclass(frozen=True, slots=True)
class OpenSession:
    """Whose session it is, with their person. `sign_in_id` is None of one that began before sign-ins were noted."""

    member: Member
    sign_in_id: UUID | None = None
    has_second_factor: bool = False


def open_session(
    request: HttpRequest, *, member: Member, now: datetime, has_second_factor: bool = False
) -> None:
    """Start afresh: nothing that was in the browser's session before lives on, its key least of all."""
    with on_square():
        note_sign_in(member, by="session")
        begun = sign_ins.open_sign_in(
            member=member,
            kind=SignIn.Kind.SESSION,
            now=now,
            has_second_factor=has_second_factor,
        )
    request.session.flush()
    request.session[_TENANT] = str(member.tenant_id)
    request.session[_MEMBER] = str(member.pk)
    request.session[_PROOF] = member.person.get_session_auth_hash()
    request.session[_SINCE] = now.isoformat()
    request.session[_SIGN_IN] = str(begun.pk)
    rotate_token(request)
    log.info("session.opened", extra={"member_id": str(member.pk)})


def sign_out(request: HttpRequest, *, now: datetime) -> None:
    """Forget the session, on the server too."""
    member, sign_in_id = getattr(request, "member", None), caller_of(request).family
    if member is not None:
        with on_square():
            if sign_in_id is not None:
                sign_ins.close(SignIn.objects.filter(pk=sign_in_id), now=now)
            note_sign_out(member, by="session")
    request.session.flush()


def session_of(request: HttpRequest, *, now: datetime) -> OpenSession | None:
    """The session that is open at the asked host; None for nobody's.

    Another tenant's session, a removed member's, one that was ended, and one from before a change of
    password, or before its person signed out everywhere, are nobody's. One query.
    """
    if settings.SESSION_COOKIE_NAME not in request.COOKIES:
        return None
    if request.session.get(_TENANT) != str(tenant_of(request).pk):
        return None
    member: Any = _members(request).first()
    if member is None or not _is_good_for(request, member.person):
        return None
    return _seen(request, member, now)


def _seen(request: HttpRequest, member: Any, now: datetime) -> OpenSession:
    if _SIGN_IN not in request.session:
        return OpenSession(member)
    sign_ins.note_seen(sign_in_id=member.sign_in_id, last_seen_at=member.seen_at, now=now)
    return OpenSession(member, member.sign_in_id, member.has_proved)


def session_caller(found: OpenSession) -> Caller:
    """The caller that a session is."""
    return person_caller(
        found.member,
        CallerKind.SESSION,
        family=found.sign_in_id,
        has_second_factor=found.has_second_factor,
    )


def _members(request: HttpRequest) -> QuerySet[Member]:
    found = Member.objects.select_related("person", "custom_role").filter(
        pk=request.session[_MEMBER],
        tenant=tenant_of(request),
        person__kind=Person.Kind.MEMBER,
        person__is_active=True,
    )
    if (sign_in_id := request.session.get(_SIGN_IN)) is None:
        return found
    return found.annotate(
        sign_in_id=F("sign_ins__pk"),
        seen_at=F("sign_ins__last_seen_at"),
        has_proved=F("sign_ins__has_second_factor"),
        ended_at=F("sign_ins__ended_at"),
    ).filter(sign_in_id=sign_in_id, ended_at=None)


def _is_good_for(request: HttpRequest, person: Person) -> bool:
    """Whether it began since the person signed out everywhere, with the password that they still have."""
    ended_at = person.signed_out_at
    if ended_at is not None and datetime.fromisoformat(request.session[_SINCE]) <= ended_at:
        return False
    proof = request.session.get(_PROOF, "")
    return constant_time_compare(proof, person.get_session_auth_hash())


def safe_next(value: str | None, *, otherwise: str = "/") -> str:
    """A path of this very host to go on to, or `otherwise`: a sign-in sends nobody elsewhere."""
    if not value or not value.startswith("/"):
        return otherwise
    return value if url_has_allowed_host_and_scheme(value, allowed_hosts=None) else otherwise
