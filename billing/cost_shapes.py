"""What is asked and answered of who used what."""

from typing import Any

from rest_framework import serializers

from billing.books.costing import DIMENSIONS
from config.serializers import StrictSerializer

_AMOUNT = "before taxes and discounts; null: on no invoice yet"


class CostsIn(StrictSerializer):
    """Of one `invoice`, or of a `month` like 2026-10; with neither, of the present month so far."""

    by = serializers.ChoiceField(choices=DIMENSIONS)
    invoice = serializers.UUIDField(required=False)
    month = serializers.RegexField(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", required=False)


class ChargedAmountOut(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="minor units")
    currency = serializers.CharField()


class ChargedOut(serializers.Serializer[Any]):
    who = serializers.CharField(
        source="label", help_text="an app, or an id; empty: nobody is known"
    )
    name = serializers.CharField(help_text="a member's or a key's, where it is still there")
    meter = serializers.CharField()
    units = serializers.IntegerField()
    amount = ChargedAmountOut(allow_null=True, help_text=_AMOUNT)


class CostsOut(serializers.Serializer[Any]):
    """Who used what; the units of a meter sum to its use, the amounts to the invoice's lines, to the cent."""

    by = serializers.CharField()
    results = ChargedOut(many=True)
