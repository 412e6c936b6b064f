"""Where the person who asks is signed in at this tenant, and the ends of that."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View
from config.context import Place
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from tenants.identity.caller import caller_of, member_of
from tenants.identity.credential_shapes import SessionsOut
from tenants.identity.devices import device_of
from tenants.identity.sign_ins import open_sign_ins
from tenants.identity.signing_out import end_others, end_sign_in
from tenants.models import Member, SignIn

_MINE = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, critical=True)
_MOST = 200


def _themselves(request: Request) -> Member:
    """No key, and no operator in somebody's name."""
    caller = caller_of(request)
    if not caller.is_person or caller.operator_id is not None:
        raise PermissionDenied()
    return member_of(request)


def _shown(row: SignIn, current: UUID | None) -> dict[str, Any]:
    return {
        "id": row.pk,
        "kind": row.kind,
        "device": device_of(row.user_agent),
        "user_agent": row.user_agent,
        "address": row.address,
        "first_seen_at": row.created_at,
        "last_seen_at": row.last_seen_at,
        "has_second_factor": row.has_second_factor,
        "current": row.pk == current,
    }


class Sessions(View):
    """The person's open sign-ins here: browsers' sessions and programs' tokens, the last seen first.

    Tokens are seen when they are refreshed. `DELETE` ends all but the one that asks.
    """

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(responses=SessionsOut)
    def get(self, request: Request) -> Response:
        member, current = _themselves(request), caller_of(request).family
        rows = open_sign_ins(member=member, now=timezone.now())[:_MOST]
        results = [_shown(row, current) for row in rows]
        return Response({"results": results, "next": None, "previous": None})

    @extend_schema(operation_id="me_sessions_end_others", responses={204: None})
    def delete(self, request: Request) -> Response:
        member = _themselves(request)
        end_others(member=member, but=caller_of(request).family, now=timezone.now())
        return Response(status=204)


class SessionDetail(View):
    """One sign-in of the person who asks; also the one by which they do."""

    needs = _MINE
    place = Place.SQUARE

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        end_sign_in(member=_themselves(request), sign_in_id=pk, now=timezone.now())
        return Response(status=204)
