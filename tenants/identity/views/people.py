"""Who I am, and who else is here."""

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place
from config.errors import PermissionDenied
from config.filters import NoFilters
from config.needs import Needs, Permission
from config.personal import Personal, shown
from tenants.identity.caller import caller_of, member_of, tenant_of
from tenants.identity.people import members_of, update_person
from tenants.identity.serializers import MeIn, MemberOut, MeOut


class Me(View):
    """The person who asks, with their role in this tenant."""

    needs = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, critical=True)
    place = Place.SQUARE
    before_second_factor = True

    @extend_schema(responses=MeOut)
    def get(self, request: Request) -> Response:
        return Response(self._answer(request))

    @extend_schema(request=MeIn, responses=MeOut)
    def patch(self, request: Request) -> Response:
        if not caller_of(request).is_person:
            raise PermissionDenied()
        update_person(member_of(request).person, **parse(MeIn, request.data))
        return Response(self._answer(request))

    @staticmethod
    def _answer(request: Request) -> Any:
        member, caller = member_of(request), caller_of(request)
        person = member.person
        return MeOut(
            {
                "id": person.pk,
                "email": shown(Personal.EMAIL, person.email)
                if caller.operator_id
                else person.email,
                "name": person.name,
                "locale": person.locale,
                "role": member.role_name,
                "permissions": sorted(caller.permissions),
                "member_id": member.pk,
                "tenant": tenant_of(request),
                "credential": {"kind": caller.kind, "scopes": sorted(caller.scopes)},
            }
        ).data


class Members(ViewSet):
    """Everybody in this tenant, newest first."""

    needs = Needs(read=Permission.MEMBERS_READ)
    place = Place.SQUARE
    serializer_class = MemberOut
    ordering_fields = ("-id", "role")
    filter_backends = (NoFilters,)

    @extend_schema(responses=MemberOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(members_of(tenant_of(request).pk))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(MemberOut(page, many=True).data)
