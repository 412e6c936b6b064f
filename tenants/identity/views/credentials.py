"""Passwords and e-mail addresses: reset by mail, on the square and at tenants; changed by their person."""

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from tenants.identity import credentials
from tenants.identity.caller import caller_of, member_of, tenant_of
from tenants.identity.credential_shapes import (
    EmailChangeIn,
    NewPasswordIn,
    PasswordChangeIn,
    ResetIn,
    TokenIn,
)
from tenants.identity.throttles import by_address, limited
from tenants.models import Member, Person, Tenant

_OPEN = Needs(public=True, critical=True, meter=None)
_MINE = Needs(write=Permission.ME_WRITE, critical=True)
_ASKED_PER_ADDRESS, _ASKED_PER_ACCOUNT = "30/h", "5/h"
_SHOWN_PER_ADDRESS = "60/h"
_PER_PERSON = "10/m"


def place_asked(request: HttpRequest) -> Tenant | None:
    """The tenant at whose host this is asked; None on the square."""
    found: Tenant | None = getattr(request, "tenant", None)
    return found


def ask_reset(request: HttpRequest, *, email: str) -> None:
    """Count the attempt by address and account, then promise the mail. Raises RateLimited."""
    limited(request, group="reset", keys=by_address(request), rate=_ASKED_PER_ADDRESS)
    account = ["account", email.strip().lower()]
    limited(request, group="reset", keys=account, rate=_ASKED_PER_ACCOUNT)
    credentials.ask_password_reset(email=email, tenant=place_asked(request), now=timezone.now())


def reset(request: HttpRequest, *, token: str, password: str) -> Person:
    """Count the attempt, then set the password. Raises RateLimited and what `reset_password` raises."""
    limited(request, group="reset-shown", keys=by_address(request), rate=_SHOWN_PER_ADDRESS)
    return credentials.reset_password(
        token=token, password=password, tenant=place_asked(request), now=timezone.now()
    )


def confirm_email(request: HttpRequest, *, token: str) -> Person:
    """Count the attempt, then change the address. Raises RateLimited, ProofInvalid, EmailTaken."""
    limited(request, group="reset-shown", keys=by_address(request), rate=_SHOWN_PER_ADDRESS)
    return credentials.confirm_email_change(
        token=token, tenant=tenant_of(request), now=timezone.now()
    )


def person_asking(request: HttpRequest) -> Member:
    """Whoever acts by their own sign-in: no key, and no operator in their name. Counts a try at their password."""
    caller = caller_of(request)
    if not caller.is_person or caller.operator_id is not None:
        raise PermissionDenied()
    limited(request, group="present", keys=["person", str(caller.person_id)], rate=_PER_PERSON)
    return member_of(request)


class PasswordReset(View):
    """Ask for a link by which to choose a new password. 202 whether or not anybody has this address."""

    needs = _OPEN
    place = Place.SQUARE

    @extend_schema(request=ResetIn, responses={202: None}, auth=[])
    def post(self, request: Request) -> Response:
        ask_reset(request, email=parse(ResetIn, request.data)["email"])
        return Response(status=202)


class PasswordResetConfirmation(View):
    """Choose the new password with the link's `token`, at the host to which it leads. Ends every sign-in."""

    needs = _OPEN
    place = Place.SQUARE

    @extend_schema(request=NewPasswordIn, responses={204: None}, auth=[])
    def post(self, request: Request) -> Response:
        reset(request, **parse(NewPasswordIn, request.data))
        return Response(status=204)


class PasswordChange(View):
    """A new password for the person who asks and knows the present one. Ends every sign-in, also this one."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(request=PasswordChangeIn, responses={204: None})
    def post(self, request: Request) -> Response:
        member, wish = person_asking(request), parse(PasswordChangeIn, request.data)
        credentials.change_password(
            member=member,
            present=wish["present_password"],
            password=wish["password"],
            now=timezone.now(),
        )
        return Response(status=204)


class EmailChange(View):
    """Ask for another e-mail address, which counts once the link that is mailed there was opened."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(request=EmailChangeIn, responses={202: None})
    def post(self, request: Request) -> Response:
        member, wish = person_asking(request), parse(EmailChangeIn, request.data)
        credentials.ask_email_change(
            member=member,
            present=wish["present_password"],
            email=wish["email"],
            now=timezone.now(),
        )
        return Response(status=202)


class EmailChangeConfirmation(View):
    """The new address counts from now on; the former one is told."""

    needs = _OPEN
    place = Place.SQUARE

    @extend_schema(request=TokenIn, responses={204: None}, auth=[])
    def post(self, request: Request) -> Response:
        confirm_email(request, token=parse(TokenIn, request.data)["token"])
        return Response(status=204)
