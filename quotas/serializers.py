"""The shapes of `/usage` and `/entitlements`."""

from typing import Any

from django.utils.translation import gettext_lazy as _
from rest_framework import serializers

from config.needs import Meter
from config.serializers import LineField, PlainJSONField, StrictSerializer, WholeNumberField
from quotas.caps.serializers import SpendCapOut
from quotas.entitlements import GrantInForce, Snapshot
from quotas.meters import METERS, Window
from quotas.models import Explanation, UsageEvent
from quotas.reporting import MOST_UNITS

METER_CHOICES = [meter.value for meter in Meter]


class MeterUsageOut(serializers.Serializer[Any]):
    meter = serializers.ChoiceField(choices=METER_CHOICES)
    unit = serializers.CharField()
    window = serializers.ChoiceField(choices=[window.value for window in Window])
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    used = serializers.IntegerField()
    remaining = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    resets_at = serializers.DateTimeField(allow_null=True, help_text="null never resets")
    hard = serializers.BooleanField(help_text="a hard meter refuses at its limit")
    billed = serializers.BooleanField(
        source="is_billed", help_text="what is above the limit is taken, and billed"
    )


class ShareUsageOut(serializers.Serializer[Any]):
    share = serializers.ChoiceField(choices=["worker_slots", "storage"])
    unit = serializers.CharField()
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    used = serializers.IntegerField(
        allow_null=True,
        help_text="Tasks that run now (null: not known now); bytes by a reading of up to 15 minutes ago.",
    )


class UsageOut(serializers.Serializer[Any]):
    plan = serializers.CharField()
    meters = MeterUsageOut(many=True)
    spend_cap = SpendCapOut(allow_null=True, help_text="null where nothing is billed by usage")
    shares = ShareUsageOut(many=True)


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


class StatedOut(serializers.Serializer[Any]):
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    seconds = serializers.IntegerField(allow_null=True, help_text="of a rate: its window")
    adds = serializers.IntegerField(allow_null=True, default=None, help_text="units on top")


class DecidingGrantOut(serializers.Serializer[Any]):
    source = serializers.CharField()  # type: ignore[assignment]  # a field, whatever its name
    plan = serializers.CharField(allow_blank=True)
    priority = serializers.IntegerField()
    expires_at = serializers.DateTimeField(allow_null=True)
    # What an older release kept says less.
    states = StatedOut(
        allow_null=True, default=None, help_text="what it says of the rule; null where it is silent"
    )
    decides = serializers.BooleanField(default=False)
    reason = serializers.CharField(default="", help_text="why it was given")


class ExplanationOut(serializers.Serializer[Any]):
    request_id = serializers.CharField()
    decided_at = serializers.DateTimeField()
    method = serializers.CharField()
    path = serializers.CharField()
    allowed = serializers.BooleanField()
    code = serializers.CharField()
    rule = serializers.CharField(
        help_text="state, role, feature:…, rate:…, concurrency, meter:…, spend_cap:…, load or unavailable"
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


class UsageEventIn(StrictSerializer):
    """One event. The same key with the same body answers what is stored."""

    key = LineField(max_length=200, help_text="yours, unique for each event; kept with the event")
    meter = serializers.ChoiceField(
        choices=[meter.value for meter, spec in METERS.items() if spec.is_reportable]
    )
    quantity = WholeNumberField(min_value=1, max_value=MOST_UNITS, default=1)
    occurred_at = serializers.DateTimeField()
    properties = PlainJSONField(
        required=False, max_bytes=8_192, max_depth=1, help_text="up to 20 names with plain values"
    )


class UsageEventOut(serializers.Serializer[Any]):
    """An event of the ledger: reported, taken by our own work, given back, or a correction."""

    id = serializers.UUIDField()
    key = serializers.CharField()
    kind = serializers.ChoiceField(choices=UsageEvent.Kind.choices)
    meter = serializers.CharField()
    quantity = serializers.IntegerField(help_text="signed in a correction")
    occurred_at = serializers.DateTimeField()
    properties = serializers.DictField(allow_null=True)
    period_start = serializers.DateTimeField(help_text="of the period in which it counts")
    is_late = serializers.BooleanField(help_text="it counts in a later period than its own")
    recorded_at = serializers.DateTimeField()
    corrects = serializers.UUIDField(allow_null=True, help_text="the id of the event it changes")
    reason = serializers.CharField(allow_blank=True)


class CorrectionIn(StrictSerializer):
    """A signed change of one event's quantity."""

    key = LineField(max_length=200, help_text="the correction's own")
    quantity = WholeNumberField(min_value=-MOST_UNITS, max_value=MOST_UNITS)
    reason = LineField(max_length=500)

    def validate_quantity(self, value: int) -> int:
        if value == 0:
            raise serializers.ValidationError(_("Not zero."))
        return value
