"""The public keys by which anybody can check our access tokens."""

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from config.api import View
from config.needs import Needs
from tenants.identity.signing import key_set

# A next key is accepted for as long at least before it signs.
_KEPT_SECONDS = 300


class JsonWebKey(serializers.Serializer[dict[str, str]]):
    kty = serializers.CharField()
    crv = serializers.CharField()
    x = serializers.CharField()
    y = serializers.CharField()
    kid = serializers.CharField(help_text="The RFC 7638 thumbprint.")
    use = serializers.CharField()
    alg = serializers.CharField()


class JsonWebKeySet(serializers.Serializer[dict[str, object]]):
    keys = JsonWebKey(many=True)


class KeySet(View):
    """The keys whose access tokens are accepted, as a JWK Set (RFC 7517); the first one signs."""

    needs = Needs(public=True, critical=True, meter=None)

    @extend_schema(auth=[], responses=JsonWebKeySet)
    def get(self, request: Request) -> Response:
        return Response(key_set(), headers={"Cache-Control": f"public, max-age={_KEPT_SECONDS}"})
