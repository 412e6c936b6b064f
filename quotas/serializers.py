"""The shapes of `/usage` and `/entitlements`."""

from typing import Any

from rest_framework import serializers

from config.needs import Meter
from config.serializers import StrictSerializer
from quotas.entitlements import GrantInForce, Snapshot
from quotas.meters import Window
from quotas.models import Explanation

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
    adds = serializers.DictField(
        child=serializers.IntegerField(), help_text="units on top of the limit"
    )
    rates = serializers.DictField(child=RateOut())
    expires_at = serializers.DateTimeField(allow_null=True)


class EntitlementsOut(serializers.Serializer[Any]):
    plan = serializers.CharField(allow_blank=True)
    hold = serializers.CharField(allow_null=True, help_text="the code of a restriction in force")
    features = serializers.ListField(child=serializers.CharField())
    limits = serializers.DictField(child=serializers.IntegerField(allow_null=True))
    rates = serializers.DictField(child=RateOut())
    grants = GrantOut(many=True)


class ExplainIn(StrictSerializer):
    request_id = serializers.CharField(max_length=64, help_text="the answer's X-Request-ID")


class DecidingGrantOut(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]  # a field, whatever its name
    plan = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)


class ExplanationOut(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    decided_at = serializers.DateTimeField()
    method = serializers.CharField()
    path = serializers.CharField()
    allowed = serializers.BooleanField()
    code = serializers.CharField()
    rule = serializers.CharField(
        help_text="state, role, feature:…, rate:…, concurrency, meter:…, load or unavailable"
    )
    limit = serializers.IntegerField(allow_null=True)
    used = serializers.IntegerField(allow_null=True)
    remaining = serializers.IntegerField(allow_null=True)
    resets_at = serializers.DateTimeField(allow_null=True)
    retry_after = serializers.IntegerField(allow_null=True, help_text="seconds")
    plan = serializers.CharField(allow_null=True)
    upgrade_to = serializers.CharField(allow_null=True)
    caller = serializers.CharField()
    credential = serializers.CharField(allow_blank=True)
    role = serializers.CharField(allow_null=True)
    cost = serializers.IntegerField()
    facts = serializers.DictField()
    grants = DecidingGrantOut(many=True, help_text="what states the limit, the deciding one first")
    hold = serializers.CharField(allow_null=True)


def explained(found: Explanation) -> dict[str, Any]:
    """A kept refusal as ExplanationOut shows it."""
    known = {"request_id": found.request_id, "decided_at": found.decided_at}
    return {"grants": [], "hold": None, **found.told, **known}


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
        "adds": dict(found.adds),
        "rates": _rates(found.rates.items()),
        "expires_at": found.expires_at,
    }


def _rates(rates: Any) -> dict[str, dict[str, int]]:
    return {scope: rate._asdict() for scope, rate in rates}
