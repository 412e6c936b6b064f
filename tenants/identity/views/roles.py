"""What can be permitted, and the roles that are made of it: those of every tenant, and its own."""

from typing import Any
from uuid import UUID

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, parse
from config.context import Place
from config.needs import Needs, Permission, Role
from config.roles import BUILT_IN
from config.serializers import parse_changes
from tenants.identity import roles
from tenants.identity.caller import member_of, tenant_of
from tenants.identity.scopes import is_scope
from tenants.identity.serializers import PermissionsOut, RoleIn, RoleOut, RolesOut
from tenants.models import CustomRole

_ROLES = Needs(
    read=Permission.MEMBERS_READ, write=Permission.ROLES_WRITE, delete=Permission.ROLES_DELETE
)


class Permissions(View):
    """All permissions there are, with the built-in roles that have each; `is_scope`: a key can be given it."""

    needs = Needs(read=Permission.MEMBERS_READ)
    place = Place.SQUARE

    @extend_schema(operation_id="permissions", responses=PermissionsOut)
    def get(self, request: Request) -> Response:
        found = [
            {
                "name": each.value,
                "roles": [role.value for role in Role if each in BUILT_IN[role]],
                "is_scope": is_scope(each),
            }
            for each in Permission
        ]
        return Response({"results": found, "next": None, "previous": None})


class Roles(View):
    """The roles that a member may have, and the permissions of each: the built-in ones, then your own."""

    needs = _ROLES
    place = Place.SQUARE

    @extend_schema(operation_id="roles", responses=RolesOut)
    def get(self, request: Request) -> Response:
        own = [_answer(each) for each in roles.roles_of(tenant_of(request).pk)]
        found = [*map(_built_in, Role), *own]
        return Response({"results": found, "next": None, "previous": None})

    @extend_schema(operation_id="role_create", request=RoleIn, responses={201: RoleOut})
    def post(self, request: Request) -> Response:
        """Make a role of permissions that you have yourself."""
        made = roles.create_role(
            tenant_id=tenant_of(request).pk,
            wish=parse(RoleIn, request.data),
            by=member_of(request),
        )
        return Response(_answer(made), status=201)


class RoleDetail(View):
    """One of your own roles. A change holds for its members' next requests."""

    needs = _ROLES
    place = Place.SQUARE

    @extend_schema(operation_id="role", responses=RoleOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(_answer(roles.find_role(tenant_id=tenant_of(request).pk, role_id=pk)))

    @extend_schema(operation_id="role_change", request=RoleIn, responses=RoleOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        changed = roles.change_role(
            tenant_id=tenant_of(request).pk,
            role_id=pk,
            wish=parse_changes(RoleIn, request.data),
            by=member_of(request),
        )
        return Response(_answer(changed))

    @extend_schema(operation_id="role_delete", responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        """Refused while members have it."""
        roles.delete_role(tenant_id=tenant_of(request).pk, role_id=pk, by=member_of(request))
        return Response(status=204)


def _built_in(role: Role) -> dict[str, Any]:
    return {
        "id": None,
        "name": role.value,
        "description": "",
        "permissions": sorted(BUILT_IN[role]),
        "is_built_in": True,
    }


def _answer(role: CustomRole) -> dict[str, Any]:
    return {
        "id": str(role.pk),
        "name": role.name,
        "description": role.description,
        "permissions": sorted(role.granted),
        "is_built_in": False,
    }
