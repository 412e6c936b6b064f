"""A tenant's seats: who is invited, how many are left, and the way in for whoever was invited."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.seat_shapes import AcceptIn, AcceptOut, InvitationOut, SeatIn, SeatsOut
from billing.services import invitations, seats
from billing.services.invitations import Acceptance
from billing.views.invitations import invited
from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission
from tenants.identity.caller import member_of
from tenants.identity.throttles import by_address, limited

_SEATS = Needs(
    read=Permission.MEMBERS_READ,
    write=Permission.MEMBERS_WRITE,
    delete=Permission.MEMBERS_DELETE,
    meter=None,
)
_ACCEPTANCES_PER_ADDRESS = "20/m"


class Seats(View):
    """The tenant's seats and open invitations; inviting somebody reserves a seat."""

    needs = _SEATS
    place = Place.SQUARE

    @extend_schema(operation_id="seats", responses=SeatsOut)
    def get(self, request: Request) -> Response:
        return Response(SeatsOut(seats.seats_of(require_tenant().id, now=timezone.now())).data)

    @extend_schema(operation_id="seat_invite", request=SeatIn, responses={201: InvitationOut})
    def post(self, request: Request) -> Response:
        return Response(InvitationOut(invited(request)).data, status=201)


class Seat(View):
    """One seat: an invitation's or a member's, by its id."""

    needs = _SEATS
    place = Place.SQUARE

    @extend_schema(operation_id="seat_free", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        seats.free(
            tenant_id=require_tenant().id, seat_id=pk, by=member_of(request), now=timezone.now()
        )
        return Response(status=204)


class SeatAccept(View):
    """Become a member by an invitation's link."""

    needs = Needs(public=True, critical=True, meter=None)
    place = Place.SQUARE

    @extend_schema(
        operation_id="seat_accept", request=AcceptIn, responses={201: AcceptOut}, auth=[]
    )
    def post(self, request: Request) -> Response:
        limited(request, group="accept", keys=by_address(request), rate=_ACCEPTANCES_PER_ADDRESS)
        wish = parse(AcceptIn, request.data)
        member = invitations.accept(
            tenant_id=require_tenant().id, acceptance=Acceptance(**wish), now=timezone.now()
        )
        found = {"member_id": member.pk, "email": member.person.email, "role": member.role_name}
        return Response(AcceptOut(found).data, status=201)
