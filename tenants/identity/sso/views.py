"""`/sso`: a tenant's own provider, and the domains of its people's addresses."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place, require_tenant
from config.filters import NoFilters
from config.needs import Feature, Needs, Permission
from tenants.identity.caller import member_of
from tenants.identity.sso import connections, domains
from tenants.identity.sso.connections import SsoWish
from tenants.identity.sso.serializers import SsoDomainIn, SsoDomainOut, SsoIn, SsoOut

_SSO = Needs(feature=Feature.SINGLE_SIGN_ON, read=Permission.SSO_READ, write=Permission.SSO_WRITE)
# What is set can be shown and removed whatever the plan says.
_ANY_PLAN = Needs(read=Permission.SSO_READ, write=Permission.SSO_WRITE)


class Sso(View):
    """The tenant's own provider."""

    needs = _SSO
    place = Place.SQUARE

    @extend_schema(responses=SsoOut)
    def get(self, request: Request) -> Response:
        return Response(SsoOut(connections.connection_of(require_tenant().id)).data)

    @extend_schema(request=SsoIn, responses={200: SsoOut, 201: SsoOut})
    def put(self, request: Request) -> Response:
        """Set the provider. It is asked who it is; to enforce it, somebody must have signed in by it."""
        told: Any = parse(SsoIn, request.data)
        found, is_new = connections.put(
            tenant_id=require_tenant().id,
            wish=SsoWish(**told),
            by=member_of(request),
            now=timezone.now(),
        )
        return Response(SsoOut(found).data, status=201 if is_new else 200)


class SsoRemoval(View):
    """Give the provider up: people sign in by password again."""

    needs = _ANY_PLAN
    place = Place.SQUARE

    @extend_schema(request=None, responses={204: None})
    def post(self, request: Request) -> Response:
        connections.remove(tenant_id=require_tenant().id)
        return Response(status=204)


class SsoDomains(ViewSet):
    """The domains of the people's addresses, newest first, with the record that proves each."""

    needs = _ANY_PLAN
    place = Place.SQUARE
    serializer_class = SsoDomainOut
    ordering_fields = ("-id", "domain")
    filter_backends = (NoFilters,)

    @extend_schema(responses=SsoDomainOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(domains.domains_of(require_tenant().id))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(SsoDomainOut(page, many=True).data)

    @extend_schema(request=SsoDomainIn, responses={201: SsoDomainOut, 200: SsoDomainOut})
    def create(self, request: Request) -> Response:
        """Claim a domain, and learn the TXT record that proves it. 200 when it is claimed already."""
        wish = parse(SsoDomainIn, request.data)
        found, is_new = domains.add(
            tenant_id=require_tenant().id, name=wish["domain"], now=timezone.now()
        )
        return Response(SsoDomainOut(found).data, status=201 if is_new else 200)


class SsoDomainProof(View):
    """Look for the TXT record."""

    needs = _ANY_PLAN
    place = Place.SQUARE

    @extend_schema(request=None, responses=SsoDomainOut)
    def post(self, request: Request, pk: UUID) -> Response:
        found = domains.verify(tenant_id=require_tenant().id, domain_id=pk, now=timezone.now())
        return Response(SsoDomainOut(found).data)


class SsoDomainDetail(View):
    """One domain. It can be given up whatever the plan says."""

    needs = Needs(read=Permission.SSO_READ, delete=Permission.SSO_WRITE)
    place = Place.SQUARE

    @extend_schema(request=None, responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        domains.remove(tenant_id=require_tenant().id, domain_id=pk)
        return Response(status=204)
