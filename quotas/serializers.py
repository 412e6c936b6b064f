"""The shapes of `/usage` and `/entitlements`."""

from typing import Any

from rest_framework import serializers

from config.needs import Meter
from quotas.entitlements import GrantInForce, Snapshot
from quotas.meters import Window

_METERS = [meter.value for meter in Meter]


class MeterUsageOut(serializers.Serializer[Any]):
    meter = serializers.ChoiceField(choices=_METERS)
    unit = serializers.CharField()
    window = serializers.ChoiceField(choices=[window.value for window in Window])
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    used = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    resets_at = serializers.DateTimeField(allow_null=True, help_text="null never resets")
    hard = serializers.BooleanField(help_text="a hard meter refuses at its limit")


class UsageOut(serializers.Serializer[Any]):
    plan = serializers.CharField()
    meters = MeterUsageOut(many=True)


class RateOut(serializers.Serializer[Any]):
    limit = serializers.IntegerField()
    seconds = serializers.IntegerField()


class GrantOut(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]  # a field, whatever its name
    plan = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    features = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    rates = serializers.DictField(child=RateOut())
    expires_at = serializers.DateTimeField(allow_null=True)


class EntitlementsOut(serializers.Serializer[Any]):
    plan = serializers.CharField(allow_blank=True)
    hold = serializers.CharField(allow_null=True, help_text="the code of a restriction in force")
    features = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    rates = serializers.DictField(child=RateOut())
    grants = GrantOut(many=True)


def entitlements(found: Snapshot) -> dict[str, Any]:
    """A snapshot as EntitlementsOut shows it."""
    return {
        "plan": found.plan,
        "hold": found.hold or None,
        "features": sorted(found.features),
        "limits": dict(found.limits),
        "rates": _rates(found.rates.items()),
        "grants": [_grant(each) for each in found.grants],
    }


def _grant(found: GrantInForce) -> dict[str, Any]:
    return {
        "source": found.source,
        "plan": found.plan,
        "priority": found.priority,
        "features": sorted(found.features),
        "limits": dict(found.limits),
        "rates": _rates(found.rates.items()),
        "expires_at": found.expires_at,
    }


def _rates(rates: Any) -> dict[str, dict[str, int]]:
    return {scope: rate._asdict() for scope, rate in rates}
