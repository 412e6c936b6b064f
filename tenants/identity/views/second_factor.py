"""The second factor of the person who asks; and whom their organisation asks for one."""

from collections.abc import Mapping
from typing import Any

from django.http import HttpRequest
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from tenants.identity import factor_policy, second_factor
from tenants.identity.caller import caller_of, member_of, tenant_of
from tenants.identity.credentials import prove_present
from tenants.identity.factor_shapes import (
    AppIn,
    AppOut,
    CodeIn,
    RecoveryCodesOut,
    RemovalIn,
    SecondFactorOut,
    SignInPolicy,
)
from tenants.identity.noting import note_second_factor
from tenants.identity.sign_ins import note_factor
from tenants.identity.views.credentials import person_asking
from tenants.trail.actions import Action

_MINE = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, critical=True)
_UNSTORED = {"Cache-Control": "no-store"}


def state_of(request: HttpRequest) -> dict[str, Any]:
    """What SecondFactorOut shows of the person who asks."""
    caller, member = caller_of(request), member_of(request)
    return {
        "is_set_up": second_factor.is_set_up(member.person),
        "is_required": factor_policy.asks(tenant_of(request), member),
        "is_proved": caller.has_second_factor,
        "recovery_codes_left": second_factor.recovery_codes_left(member.person),
    }


def begin_app(request: HttpRequest, *, present: str) -> dict[str, str]:
    """Secret and address for a new app. Raises WrongPassword, SecondFactorKnown, RateLimited."""
    person = person_asking(request).person
    prove_present(person, present)
    secret = second_factor.begin(person=person, now=timezone.now())
    return {
        "secret": secret,
        "uri": second_factor.address_of_app(person=person, secret=secret),
    }


def confirm_app(request: HttpRequest, *, code: str) -> list[str]:
    """The recovery codes; this very sign-in counts as proved. Raises SecondFactorInvalid and its like."""
    member = person_asking(request)
    second_factor.guard(request, person_id=member.person_id)
    codes = second_factor.confirm(person=member.person, code=code, now=timezone.now())
    note_second_factor(Action.SECOND_FACTOR_SET_UP, member)
    note_factor(sign_in_id=caller_of(request).family)
    return codes


def renew_codes(request: HttpRequest, *, code: str) -> list[str]:
    """New recovery codes for a code of the app, or for the last recovery code."""
    member = person_asking(request)
    second_factor.guard(request, person_id=member.person_id)
    second_factor.prove(person=member.person, code=code, now=timezone.now())
    note_second_factor(Action.RECOVERY_CODES_MADE, member)
    return second_factor.new_recovery_codes(member.person)


def remove_app(request: HttpRequest, *, present: str, code: str) -> None:
    """Let go of the second factor, by password and code. Raises WrongPassword, SecondFactorInvalid."""
    member = person_asking(request)
    prove_present(member.person, present)
    second_factor.guard(request, person_id=member.person_id)
    second_factor.prove(person=member.person, code=code, now=timezone.now())
    second_factor.remove(person=member.person)
    note_second_factor(Action.SECOND_FACTOR_REMOVED, member)


class SecondFactor(View):
    """Whether the person has a second factor, must have one here, and proved it in this sign-in."""

    needs = _MINE
    place = Place.SQUARE
    before_second_factor = True

    @extend_schema(responses=SecondFactorOut)
    def get(self, request: Request) -> Response:
        if not caller_of(request).is_person:
            raise PermissionDenied()
        return Response(state_of(request))


class App(View):
    """Begin with an authenticator app (TOTP): its secret, shown this once. It counts once confirmed."""

    needs = _MINE
    place = Place.SQUARE
    before_second_factor = True

    @extend_schema(request=AppIn, responses={201: AppOut})
    def post(self, request: Request) -> Response:
        wish = parse(AppIn, request.data)
        begun = begin_app(request, present=wish["present_password"])
        return Response(begun, status=201, headers=_UNSTORED)


class AppConfirmation(View):
    """Confirm the app by its first code. The answer's recovery codes are shown this once; refresh your token."""

    needs = _MINE
    place = Place.SQUARE
    before_second_factor = True

    @extend_schema(request=CodeIn, responses=RecoveryCodesOut)
    def post(self, request: Request) -> Response:
        codes = confirm_app(request, code=parse(CodeIn, request.data)["otp"])
        return _told(codes)


class RecoveryCodes(View):
    """Ten new recovery codes, each good once in place of the app; the former ones are void."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(request=CodeIn, responses=RecoveryCodesOut)
    def post(self, request: Request) -> Response:
        return _told(renew_codes(request, code=parse(CodeIn, request.data)["otp"]))


class SecondFactorRemoval(View):
    """Let go of app and recovery codes: another app can be set up then."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(request=RemovalIn, responses={204: None})
    def post(self, request: Request) -> Response:
        wish = parse(RemovalIn, request.data)
        remove_app(request, present=wish["present_password"], code=wish["otp"])
        return Response(status=204)


class Policy(View):
    """Of which roles the organisation asks a second factor; `*` is everybody."""

    needs = Needs()
    place = Place.SQUARE

    @extend_schema(responses=SignInPolicy)
    def get(self, request: Request) -> Response:
        return _policy(tenant_of(request).second_factor_roles)

    @extend_schema(request=SignInPolicy, responses=SignInPolicy)
    def put(self, request: Request) -> Response:
        caller = caller_of(request)
        if not caller.is_person:
            raise PermissionDenied()
        roles = parse(SignInPolicy, request.data)["second_factor_roles"]
        factor_policy.require_of(
            tenant=tenant_of(request),
            roles=roles,
            by=member_of(request),
            has_proved=caller.has_second_factor,
        )
        return _policy(roles)


def _policy(roles: list[str]) -> Response:
    return Response({"second_factor_roles": sorted(set(roles))})


def _told(codes: list[str]) -> Response:
    told: Mapping[str, Any] = {"recovery_codes": codes}
    return Response(told, headers=_UNSTORED)
