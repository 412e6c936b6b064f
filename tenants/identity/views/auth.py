"""Tokens for programs: sign in, refresh, sign out."""

from typing import Any
from uuid import UUID

from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from tenants.identity import tokens
from tenants.identity.caller import caller_of, member_of, tenant_of
from tenants.identity.noting import (
    note_failed_sign_in,
    note_reuse,
    note_sign_in,
    note_sign_out,
)
from tenants.identity.passwords import prove_by_password
from tenants.identity.refusals import CredentialsMissing, InvalidCredentials, SecondFactorInvalid
from tenants.identity.second_factor import prove_where_set_up
from tenants.identity.serializers import LoginOut, LogoutIn, RefreshIn, SignIn, TokenOut
from tenants.identity.signing_out import sign_out_everywhere
from tenants.identity.throttles import by_address, limited
from tenants.identity.tokens import RefreshTokenReused, TokenPair
from tenants.isolation import on_square

# A tenant that is refused everything else must still be able to sign in and see why.
_OPEN = Needs(public=True, critical=True, meter=None)
_REFRESH_PER_ADDRESS = "120/m"
_UNSTORED = {"Cache-Control": "no-store"}


def _answer(pair: TokenPair) -> dict[str, Any]:
    return {
        "access": pair.access,
        "refresh": pair.refresh,
        "token_type": "Bearer",
        "expires_in": pair.expires_in,
    }


class Token(View):
    """Sign in by e-mail and password. 401 `invalid_credentials` whichever of them is wrong.

    Of a person with a second factor 401 `second_factor_needed` asks for `otp`.
    """

    needs = _OPEN
    place = Place.SQUARE
    _refused: str | None = None

    @extend_schema(request=SignIn, responses=TokenOut, auth=[])
    def post(self, request: Request) -> Response:
        return Response(_answer(self._pair(request)), headers=_UNSTORED)

    def _pair(self, request: Request) -> TokenPair:
        wish = parse(SignIn, request.data)
        try:
            member = prove_by_password(request, email=wish["email"], password=wish["password"])
            has_second_factor = prove_where_set_up(
                request, person=member.person, code=wish.get("otp", ""), now=timezone.now()
            )
        except (InvalidCredentials, SecondFactorInvalid):
            self._refused = wish["email"]
            raise
        with transaction.atomic():
            note_sign_in(member, by="token")
            return tokens.issue(
                member=member, now=timezone.now(), has_second_factor=has_second_factor
            )

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().dispatch(request, *args, **kwargs)
        if self._refused is not None:
            note_failed_sign_in(email=self._refused)
        return answer


class Login(Token):
    """The same as `/auth/token`, with `access_token` for clients of the older design."""

    @extend_schema(request=SignIn, responses=LoginOut, auth=[])
    def post(self, request: Request) -> Response:
        pair = self._pair(request)
        return Response({**_answer(pair), "access_token": pair.access}, headers=_UNSTORED)


class Refresh(View):
    """A new pair for a refresh token, which is used up. A used one that comes again ends its family."""

    needs = _OPEN
    place = Place.SQUARE
    _reused: UUID | None = None

    @extend_schema(request=RefreshIn, responses=TokenOut, auth=[])
    def post(self, request: Request) -> Response:
        limited(request, group="refresh", keys=by_address(request), rate=_REFRESH_PER_ADDRESS)
        wish = parse(RefreshIn, request.data)
        pair = tokens.rotate(refresh=wish["refresh"], tenant=tenant_of(request), now=timezone.now())
        return Response(_answer(pair), headers=_UNSTORED)

    def handle_exception(self, exc: Exception) -> Response:
        if isinstance(exc, RefreshTokenReused):
            self._reused = exc.family
        return super().handle_exception(exc)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer = super().dispatch(request, *args, **kwargs)
        # Once more, outside: under an Idempotency-Key a refusal rolls back what was written, and a
        # thief must not keep the family alive by sending that header.
        if self._reused is not None:
            with on_square():
                tokens.revoke_family(family=self._reused, now=timezone.now())
                note_reuse(tokens.member_of_family(self._reused))
        return answer


class Logout(View):
    """End the sign-in of the refresh token given, or of the access token that asks."""

    needs = _OPEN
    place = Place.SQUARE

    @extend_schema(request=LogoutIn, responses={204: None})
    def post(self, request: Request) -> Response:
        refresh = parse(LogoutIn, request.data).get("refresh")
        family = caller_of(request).family
        if not refresh and not family:
            raise CredentialsMissing()
        now, ended = timezone.now(), None
        if refresh:
            ended = tokens.revoke(refresh=refresh, tenant=tenant_of(request), now=now)
        if family and tokens.revoke_family(family=family, now=now):
            ended = member_of(request)
        if ended is not None:
            note_sign_out(ended, by="token")
        return Response(status=204)


class LogoutEverywhere(View):
    """End every session and every token of the person who asks, at all of their tenants. Keys stay."""

    needs = Needs(write=Permission.ME_WRITE, critical=True)
    place = Place.SQUARE
    before_second_factor = True

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        if not caller_of(request).is_person:
            raise PermissionDenied()
        sign_out_everywhere(member=member_of(request), now=timezone.now())
        return Response(status=204)
