"""Operators prove a second factor, always: at the console's door, once for each session. And they reset others'."""

from datetime import datetime

from django.conf import settings
from django.db import transaction
from django.http import HttpRequest

from tenants.identity import second_factor
from tenants.identity.demo import is_nobodys_address
from tenants.identity.refusals import SecondFactorNotSetUp
from tenants.identity.signing_out import end_sign_ins
from tenants.models import Person
from tenants.trail.actions import Action
from tenants.trail.masking import masked
from tenants.trail.recording import Change, Subject, record_for_operators

_PROVED = "plaza_operator_second_factor"


def has_proved(request: HttpRequest) -> bool:
    """Whether the operator who is signed in proved their second factor in this session."""
    return request.session.get(_PROVED) == str(request.user.pk)


def forget_proof(request: HttpRequest) -> None:
    """Whoever enters the password again proves the second factor again."""
    request.session.pop(_PROVED, None)


def prove(request: HttpRequest, *, operator: Person, code: str, now: datetime) -> list[str]:
    """Let the operator in; at the first time the app is confirmed, and these are their recovery codes.

    Raises RateLimited, SecondFactorInvalid, SecondFactorNotSetUp.
    """
    second_factor.guard(request, person_id=operator.pk)
    codes: list[str] = []
    if second_factor.is_set_up(operator):
        second_factor.prove(person=operator, code=code, now=now)
    else:
        codes = second_factor.confirm(person=operator, code=code, now=now)
    request.session.cycle_key()
    request.session[_PROVED] = str(operator.pk)
    return codes


@transaction.atomic
def reset_second_factor(*, person: Person, reason: str, now: datetime) -> None:
    """Let go of app and codes of who lost both, and end their sign-ins. Raises SecondFactorNotSetUp."""
    if not second_factor.remove(person=person):
        raise SecondFactorNotSetUp()
    end_sign_ins(person=person, now=now)
    subject = Subject("person", person.pk, masked(person.email))
    record_for_operators(Action.SECOND_FACTOR_REMOVED, subject, Change(after={"reason": reason}))


def shown_code(operator: Person, *, now: datetime) -> str:
    """What the page tells of the demo's operator, who has no app; empty in production and for everybody else."""
    if settings.IS_PRODUCTION or not is_nobodys_address(operator.email):
        return ""
    return second_factor.code_now(person=operator, now=now)
