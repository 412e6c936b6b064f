"""One member: their role, and their end here. Here, since who goes frees a seat."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.services import seats
from config.api import View, parse
from config.context import Place, require_tenant
from config.errors import PermissionDenied
from config.needs import Needs, Permission
from tenants.identity import memberships
from tenants.identity.caller import caller_of, member_of
from tenants.identity.ranks import refuse_above
from tenants.identity.roles import role_named
from tenants.identity.serializers import MemberIn, MemberOut, OwnershipIn
from tenants.models import Member


class MemberDetail(View):
    """One member. Nobody deals with a role that may more than their own, and the last owner stays."""

    needs = Needs(
        read=Permission.MEMBERS_READ,
        write=Permission.MEMBERS_WRITE,
        delete=Permission.MEMBERS_DELETE,
    )
    place = Place.SQUARE

    @extend_schema(operation_id="member", responses=MemberOut)
    def get(self, request: Request, pk: UUID) -> Response:
        found = memberships.find_member(tenant_id=require_tenant().id, member_id=pk)
        return Response(MemberOut(found).data)

    @extend_schema(operation_id="member_change", request=MemberIn, responses=MemberOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Give the member another role, which holds for their next request."""
        tenant_id, role = require_tenant().id, parse(MemberIn, request.data)["role"]
        refuse_above(caller_of(request), role_named(tenant_id, role).permissions)
        changed = memberships.give_role(
            tenant_id=tenant_id, member_id=pk, role=role, by=member_of(request)
        )
        return Response(MemberOut(changed).data)

    @extend_schema(operation_id="member_remove", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Remove the member: their keys and sign-ins end at once, and their seat is free."""
        seats.free(
            tenant_id=require_tenant().id, seat_id=pk, by=member_of(request), now=timezone.now()
        )
        return Response(status=204)


class Leave(View):
    """Leave this tenant: your keys and sign-ins here end at once."""

    needs = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, critical=True, meter=None)
    place = Place.SQUARE

    @extend_schema(operation_id="leave", request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        me = _myself(request)
        seats.free(tenant_id=me.tenant_id, seat_id=me.pk, by=me, now=timezone.now())
        return Response(status=204)


class Ownership(View):
    """Make another member the owner in your place; you are an admin from then on."""

    needs = Needs(write=Permission.OWNERSHIP_TRANSFER)
    place = Place.SQUARE

    @extend_schema(operation_id="ownership_transfer", request=OwnershipIn, responses=MemberOut)
    def post(self, request: Request) -> Response:
        heir = memberships.transfer_ownership(
            tenant_id=require_tenant().id,
            to_id=parse(OwnershipIn, request.data)["member"],
            by=_myself(request),
        )
        return Response(MemberOut(heir).data)


def _myself(request: Request) -> Member:
    """Raises PermissionDenied for a program, and for an operator in somebody's place."""
    caller = caller_of(request)
    if not caller.is_person or caller.operator_id is not None:
        raise PermissionDenied()
    return member_of(request)
