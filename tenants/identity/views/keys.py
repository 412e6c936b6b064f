"""API keys: listed, made (shown once), revoked."""

from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place
from config.errors import PermissionDenied
from config.filters import NoFilters
from config.needs import Feature, Needs, Permission
from tenants.identity import keys
from tenants.identity.caller import caller_of, member_of, tenant_of
from tenants.identity.serializers import ApiKeyIn, ApiKeyOut, NewApiKeyOut


class ApiKeys(ViewSet):
    """The tenant's keys, newest first, revoked ones too."""

    needs = Needs(
        feature=Feature.API_KEYS, read=Permission.API_KEYS_READ, write=Permission.API_KEYS_WRITE
    )
    place = Place.SQUARE
    serializer_class = ApiKeyOut
    ordering_fields = ("-id", "name")
    filter_backends = (NoFilters,)

    @extend_schema(responses=ApiKeyOut(many=True))
    def list(self, request: Request) -> Response:
        rows = self.filter_queryset(keys.keys_of(tenant_of(request).pk))
        page = self.paginate_queryset(rows)
        return self.get_paginated_response(ApiKeyOut(page, many=True).data)

    @extend_schema(request=ApiKeyIn, responses={201: NewApiKeyOut})
    def create(self, request: Request) -> Response:
        """Make a key. Its text is `key`, shown this once."""
        # A key that could make keys would outlive its own revocation and widen its own scopes.
        if not caller_of(request).is_person:
            raise PermissionDenied()
        wish = parse(ApiKeyIn, request.data)
        key, raw = keys.create_key(
            tenant_id=tenant_of(request).pk,
            name=wish["name"],
            scopes=wish["scopes"],
            created_by_id=member_of(request).pk,
            expires_at=wish.get("expires_at"),
            now=timezone.now(),
        )
        secret = {**ApiKeyOut(key).data, "key": raw}
        return Response(secret, status=201, headers={"Cache-Control": "no-store"})


class ApiKeyDetail(View):
    """One key. It can be revoked whatever the plan says."""

    needs = Needs(
        read=Permission.API_KEYS_READ,
        write=Permission.API_KEYS_WRITE,
        delete=Permission.API_KEYS_DELETE,
        critical=True,
    )
    place = Place.SQUARE

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        keys.revoke_key(tenant_id=tenant_of(request).pk, key_id=pk, now=timezone.now())
        return Response(status=204)
