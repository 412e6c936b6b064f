"""The shapes of `/spend-cap`, and of what `/usage` tells of it."""

from typing import Any

from rest_framework import serializers

from config.needs import Meter
from config.serializers import Money, StrictSerializer
from quotas.caps.standing import Spending

_METERS = [meter.value for meter in Meter]


class BudgetAmountOut(serializers.Serializer[Any]):
    amount = serializers.IntegerField(help_text="minor units")
    currency = serializers.CharField(allow_blank=True)


class MeterSpendOut(serializers.Serializer[Any]):
    meter = serializers.ChoiceField(choices=_METERS)
    included = serializers.IntegerField()
    used = serializers.IntegerField()
    spent = BudgetAmountOut(help_text="for what is used above the included")


class SpendCapOut(serializers.Serializer[Any]):
    """The present billing period. What is spent is before taxes and discounts."""

    cap = BudgetAmountOut(allow_null=True, help_text="null is no cap")
    spent = BudgetAmountOut()
    remaining = BudgetAmountOut(allow_null=True, help_text="null without a cap")
    period_starts_at = serializers.DateTimeField()
    resets_at = serializers.DateTimeField()
    meters = MeterSpendOut(many=True)
    warnings = serializers.ListField(
        child=serializers.ChoiceField(choices=["below_spent", "other_currency"]),
        help_text=(
            "below_spent: more is spent already; it stays, and more is refused. other_currency: the "
            "cap was set in another currency, and nothing above the included passes until it is set anew."
        ),
    )


class SpendCapIn(StrictSerializer):
    """`{"cap": null}` takes the cap away."""

    cap = Money(allow_null=True, help_text="in the tenant's billing currency")


def spend_cap(found: Spending) -> dict[str, Any]:
    """As SpendCapOut shows it."""
    left = found.remaining
    return {
        "cap": None if found.cap is None else _amount(found.cap, found),
        "spent": _amount(found.spent, found),
        "remaining": None if left is None else _amount(left, found),
        "period_starts_at": found.period_starts_at,
        "resets_at": found.resets_at,
        "meters": [
            {
                "meter": each.meter.value,
                "included": each.included,
                "used": each.used,
                "spent": _amount(each.spent, found),
            }
            for each in found.meters
        ],
        "warnings": _warnings(found),
    }


def _warnings(found: Spending) -> list[str]:
    told = {"below_spent": found.is_below_spent, "other_currency": found.is_stale}
    return [name for name, is_so in told.items() if is_so]


def _amount(value: int, found: Spending) -> dict[str, Any]:
    return {"amount": value, "currency": found.unit}
