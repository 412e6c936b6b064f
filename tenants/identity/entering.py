"""The way in for people: by password, then by a code where they have a second factor. A session opens at its end.

In between the browser's session holds who proved the password, for ten minutes: it is nobody's yet.
"""

from datetime import datetime, timedelta

from django.http import HttpRequest
from django.middleware.csrf import rotate_token
from django.utils.crypto import constant_time_compare

from tenants.identity import second_factor
from tenants.identity.caller import tenant_of
from tenants.identity.noting import note_failed_sign_in
from tenants.identity.passwords import prove_by_password
from tenants.identity.refusals import (
    CredentialsMissing,
    InvalidCredentials,
    SecondFactorInvalid,
)
from tenants.identity.sessions import open_session, safe_next
from tenants.isolation import on_square
from tenants.models import Member, Person

PAGE = "/login/second-factor"
_WAITING, _LIFE = "plaza_second_step", timedelta(minutes=10)


@on_square()
def sign_in(
    request: HttpRequest, *, email: str, password: str, now: datetime, onward: str = "/"
) -> tuple[Member, str]:
    """Prove by password, then `enter`: who it is, and the path to go on to.

    Raises InvalidCredentials, RateLimited, ServiceUnavailable.
    """
    try:
        member = prove_by_password(request, email=email, password=password)
    except InvalidCredentials:
        note_failed_sign_in(email=email)
        raise
    return member, enter(request, member=member, now=now, onward=onward)


@on_square()
def enter(request: HttpRequest, *, member: Member, now: datetime, onward: str = "/") -> str:
    """Open the session of whoever proved who they are; or hold it until their code comes.

    The path to go on to: `onward`, or the page that asks for the code.
    """
    if not second_factor.is_set_up(member.person):
        open_session(request, member=member, now=now)
        return safe_next(onward)
    request.session.flush()
    request.session[_WAITING] = {
        "tenant": str(member.tenant_id),
        "member": str(member.pk),
        "proof": member.person.get_session_auth_hash(),
        "until": (now + _LIFE).timestamp(),
        "next": safe_next(onward),
    }
    rotate_token(request)
    return PAGE


def waits(request: HttpRequest, *, now: datetime) -> bool:
    """Whether somebody proved their password in this browser, and not their code yet."""
    until: float = request.session.get(_WAITING, {"until": 0.0})["until"]
    return until > now.timestamp()


@on_square()
def finish(request: HttpRequest, *, code: str, now: datetime) -> tuple[Member, str]:
    """Open the session by the code; who it is, and the path that they came for.

    Raises CredentialsMissing where nobody waits, SecondFactorInvalid, RateLimited.
    """
    member = _waiting(request, now)
    onward = request.session[_WAITING]["next"]
    second_factor.guard(request, person_id=member.person_id)
    try:
        second_factor.prove(person=member.person, code=code, now=now)
    except SecondFactorInvalid:
        note_failed_sign_in(email=member.person.email)
        raise
    open_session(request, member=member, now=now, has_second_factor=True)
    return member, onward


def _waiting(request: HttpRequest, now: datetime) -> Member:
    if not waits(request, now=now):
        raise CredentialsMissing()
    kept = request.session[_WAITING]
    member = (
        Member.objects.select_related("person")
        .filter(
            pk=kept["member"],
            tenant=tenant_of(request),
            person__kind=Person.Kind.MEMBER,
            person__is_active=True,
        )
        .first()
    )
    if member is None or not constant_time_compare(
        kept["proof"], member.person.get_session_auth_hash()
    ):
        raise CredentialsMissing()
    return member
