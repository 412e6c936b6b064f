"""What is asked and answered of a month on another plan."""

from dataclasses import asdict
from typing import Any

from rest_framework import serializers

from billing import catalogue
from billing.catalogue import CURRENCIES, INTERVALS
from billing.services.what_if import Replay
from config.serializers import StrictSerializer


class WhatIfIn(StrictSerializer):
    """`month` is like 2026-10; left out, the last whole one."""

    plan = serializers.ChoiceField(choices=[spec.key for spec in catalogue.plans()])
    month = serializers.RegexField(r"^20[0-9]{2}-(0[1-9]|1[0-2])$", required=False)


class MeterReplayOut(serializers.Serializer[Any]):
    meter = serializers.CharField()
    unit = serializers.CharField()
    used = serializers.IntegerField(help_text="the most in use in the month")
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    over = serializers.IntegerField(help_text="units of `used` above the limit")
    first_refused_at = serializers.DateTimeField(
        allow_null=True, help_text="null: never, or kept as a total alone (API calls)"
    )


class RefusalsOut(serializers.Serializer[Any]):
    code = serializers.CharField()
    rule = serializers.CharField()
    count = serializers.IntegerField(help_text="that happened")
    avoided = serializers.IntegerField(help_text="of them, that would not have happened")


class PriceAmountOut(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="minor units; a difference may be negative")
    currency = serializers.ChoiceField(choices=CURRENCIES)


class WhatIfPriceOut(serializers.Serializer[Any]):
    interval = serializers.ChoiceField(choices=INTERVALS)
    present = PriceAmountOut()
    other = PriceAmountOut()
    difference = PriceAmountOut()


class WhatIfOut(serializers.Serializer[Any]):
    """A month as it would have been on `plan`; refusals are known for the last days only."""

    plan = serializers.CharField()
    present_plan = serializers.CharField()
    month = serializers.CharField()
    meters = MeterReplayOut(many=True)
    features_gained = serializers.ListField(child=serializers.CharField())
    features_lost = serializers.ListField(child=serializers.CharField())
    refusals = RefusalsOut(many=True)
    price = WhatIfPriceOut()


def what_if_answer(found: Replay) -> dict[str, Any]:
    """A replay as WhatIfOut shows it."""
    prices = found.prices

    def money(amount: int) -> dict[str, Any]:
        return {"amount": amount, "currency": prices.currency}

    return {
        "plan": found.plan,
        "present_plan": found.present_plan,
        "month": f"{found.start:%Y-%m}",
        "meters": [{**asdict(each), "meter": each.meter.value} for each in found.meters],
        "features_gained": found.features_gained,
        "features_lost": found.features_lost,
        "refusals": [asdict(each) for each in found.refusals],
        "price": {
            "interval": prices.interval,
            "present": money(prices.present_minor),
            "other": money(prices.other_minor),
            "difference": money(prices.difference_minor),
        },
    }
