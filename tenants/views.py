"""A tenant's own domains: listed, claimed, proved, given up."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place, require_tenant
from config.filters import NoFilters
from config.needs import Feature, Needs, Permission
from tenants import domains
from tenants.serializers import DomainIn, DomainOut

_ADMINS = Needs(
    feature=Feature.CUSTOM_DOMAINS, read=Permission.DOMAINS_READ, write=Permission.DOMAINS_WRITE
)


class Domains(ViewSet):
    """The tenant's own domains, newest first, with the record that proves each."""

    needs = _ADMINS
    place = Place.SQUARE
    serializer_class = DomainOut
    ordering_fields = ("-id", "domain")
    filter_backends = (NoFilters,)

    @extend_schema(responses=DomainOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(domains.claims_of(require_tenant().id))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(DomainOut(page, many=True).data)

    @extend_schema(request=DomainIn, responses={201: DomainOut, 200: DomainOut})
    def create(self, request: Request) -> Response:
        """Claim a domain, and learn the TXT record that proves it. 200 when it is claimed already."""
        wish = parse(DomainIn, request.data)
        claim, is_new = domains.add(
            tenant_id=require_tenant().id, name=wish["domain"], now=timezone.now()
        )
        return Response(DomainOut(claim).data, status=201 if is_new else 200)


class DomainProof(View):
    """Look for the TXT record; the domain answers from then on."""

    needs = _ADMINS
    place = Place.SQUARE

    @extend_schema(request=None, responses=DomainOut)
    def post(self, request: Request, pk: UUID) -> Response:
        claim = domains.verify(tenant_id=require_tenant().id, claim_id=pk, now=timezone.now())
        return Response(DomainOut(claim).data)


class DomainDetail(View):
    """One domain. It can be given up whatever the plan says."""

    needs = Needs(
        read=Permission.DOMAINS_READ,
        write=Permission.DOMAINS_WRITE,
        delete=Permission.DOMAINS_DELETE,
        critical=True,
    )
    place = Place.SQUARE

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        domains.remove(tenant_id=require_tenant().id, claim_id=pk)
        return Response(status=204)
