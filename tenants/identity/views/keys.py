"""API keys: listed, made (shown once), limited to addresses, rotated, revoked."""

from datetime import timedelta
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View, ViewSet, parse
from config.context import Place
from config.filters import NoFilters
from config.needs import Feature, Needs, Permission
from tenants.identity import keys
from tenants.identity.caller import member_of, tenant_of
from tenants.identity.serializers import (
    ApiKeyChange,
    ApiKeyIn,
    ApiKeyOut,
    ApiKeyRotation,
    NewApiKeyOut,
)
from tenants.models import ApiKey


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
        wish = parse(ApiKeyIn, request.data)
        key, raw = keys.create_key(
            tenant_id=tenant_of(request).pk,
            name=wish["name"],
            scopes=wish["scopes"],
            created_by_id=member_of(request).pk,
            expires_at=wish.get("expires_at"),
            now=timezone.now(),
            allowed_networks=wish["allowed_networks"],
        )
        return _shown_once(key, raw)


class ApiKeyDetail(View):
    """One key. It can be revoked whatever the plan says."""

    needs = Needs(
        read=Permission.API_KEYS_READ,
        write=Permission.API_KEYS_WRITE,
        delete=Permission.API_KEYS_DELETE,
        critical=True,
    )
    place = Place.SQUARE

    @extend_schema(request=ApiKeyChange, responses=ApiKeyOut)
    def patch(self, request: Request, pk: UUID) -> Response:
        """Say from where it may be used: holds for the next request."""
        networks = parse(ApiKeyChange, request.data)["allowed_networks"]
        key = keys.limit_key(tenant_id=tenant_of(request).pk, key_id=pk, networks=networks)
        return Response(ApiKeyOut(key).data)

    @extend_schema(responses={204: None})
    def delete(self, request: Request, pk: UUID) -> Response:
        keys.revoke_key(tenant_id=tenant_of(request).pk, key_id=pk, now=timezone.now())
        return Response(status=204)


class ApiKeyRotate(View):
    """A new key in place of one, which goes on beside it for a while. Its text is `key`, shown this once."""

    needs = Needs(
        feature=Feature.API_KEYS, read=Permission.API_KEYS_READ, write=Permission.API_KEYS_WRITE
    )
    place = Place.SQUARE

    @extend_schema(request=ApiKeyRotation, responses={201: NewApiKeyOut})
    def post(self, request: Request, pk: UUID) -> Response:
        """The new one acts as you, with the same scopes, networks and length of life."""
        wish = parse(ApiKeyRotation, request.data)
        key, raw = keys.rotate_key(
            tenant_id=tenant_of(request).pk,
            key_id=pk,
            overlap=timedelta(seconds=wish["overlap_seconds"]),
            by_id=member_of(request).pk,
            now=timezone.now(),
        )
        return _shown_once(key, raw)


def _shown_once(key: ApiKey, raw: str) -> Response:
    secret = {**ApiKeyOut(key).data, "key": raw}
    return Response(secret, status=201, headers={"Cache-Control": "no-store"})
