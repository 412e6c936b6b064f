"""How payment methods are asked for and told."""

from typing import Any

from rest_framework import serializers

_LONGEST_ID = 255


class PaymentMethodOut(serializers.Serializer[Any]):
    """`name` is brand and last digits, or the buyer's address at PayPal; `expires_on` is YYYY-MM, or null."""

    id = serializers.CharField()
    provider = serializers.CharField()
    kind = serializers.CharField()
    name = serializers.CharField(source="label")
    expires_on = serializers.SerializerMethodField()
    is_default = serializers.BooleanField()

    def get_expires_on(self, method: Any) -> str | None:
        return method.expires_on or None


class PaymentMethodsOut(serializers.Serializer[Any]):
    results = PaymentMethodOut(many=True)


class PaymentMethodIn(serializers.Serializer[Any]):
    id = serializers.CharField(max_length=_LONGEST_ID)
