"""`/invitations`: who is invited and has not come yet; made, sent once more, and revoked."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.models import Invitation
from billing.seat_shapes import InvitationOut, SeatIn
from billing.services import buying, seats
from billing.services.seats import Guest
from config.api import View, ViewSet, parse
from config.context import Place, require_tenant
from config.filters import NoFilters
from config.needs import Needs, Permission
from tenants.identity.caller import caller_of, member_of
from tenants.identity.ranks import refuse_above
from tenants.identity.roles import role_named
from tenants.identity.throttles import limited

_NEEDS = Needs(
    read=Permission.MEMBERS_READ,
    write=Permission.MEMBERS_WRITE,
    delete=Permission.MEMBERS_DELETE,
    meter=None,
)
_INVITATIONS_PER_TENANT = "60/h"


class Invitations(ViewSet):
    """Those that wait, newest first; each holds a seat."""

    needs = _NEEDS
    place = Place.SQUARE
    serializer_class = InvitationOut
    ordering_fields = ("-id",)
    filter_backends = (NoFilters,)

    @extend_schema(responses=InvitationOut(many=True))
    def list(self, request: Request) -> Response:
        waiting = Invitation.objects.waiting().filter(tenant_id=require_tenant().id)
        rows = self.filter_queryset(waiting.select_related("custom_role"))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(InvitationOut(page, many=True).data)

    @extend_schema(request=SeatIn, responses={201: InvitationOut})
    def create(self, request: Request) -> Response:
        """Invite somebody by e-mail: the same as `POST /seats`."""
        return Response(InvitationOut(invited(request)).data, status=201)


class InvitationDetail(View):
    """One that waits."""

    needs = _NEEDS
    place = Place.SQUARE

    @extend_schema(operation_id="invitation_revoke", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Its link opens nothing any more, and its seat is free."""
        seats.revoke(tenant_id=require_tenant().id, invitation_id=pk, now=timezone.now())
        return Response(status=204)


class InvitationResend(View):
    """Send it once more: a new link for a new week."""

    needs = _NEEDS
    place = Place.SQUARE

    @extend_schema(operation_id="invitation_resend", request=None, responses=InvitationOut)
    def post(self, request: Request, pk: UUID) -> Response:
        _limit(request)
        sent = seats.resend(
            tenant_id=require_tenant().id,
            invitation_id=pk,
            by=member_of(request),
            now=timezone.now(),
        )
        return Response(InvitationOut(sent).data)


def invited(request: Request) -> Invitation:
    """The invitation that the request wishes for. A key gives no role that may more than the key."""
    tenant_id = require_tenant().id
    _limit(request)
    wish = parse(SeatIn, request.data)
    refuse_above(caller_of(request), role_named(tenant_id, wish["role"]).permissions)
    invite = buying.invite_buying if wish["buy"] else seats.invite
    guest = Guest(email=wish["email"], role=wish["role"])
    return invite(tenant_id=tenant_id, guest=guest, by=member_of(request), now=timezone.now())


def _limit(request: Request) -> None:
    keys = ["tenant", str(require_tenant().id)]
    limited(request, group="invite", keys=keys, rate=_INVITATIONS_PER_TENANT)
