"""The shapes of `/usage/forecast` and `/usage/alerts`."""

from typing import Any

from rest_framework import serializers

from config.needs import Meter, Role
from config.serializers import StrictSerializer, WholeNumberField
from quotas.alerts.models import AlertSetting
from quotas.alerts.outlook import Outlook
from quotas.alerts.thresholds import PERCENTS
from quotas.forecast import LEAST_DAYS

_METERS = [meter.value for meter in Meter]
_ROLES = [role.value for role in Role]


class PaceOut(serializers.Serializer[Any]):
    """Each interval holds what happens in 8 cases of 10. A date of null: not before `resets_at`, or within 90 days."""

    runs_out_on = serializers.DateField(allow_null=True)
    earliest_on = serializers.DateField(allow_null=True)
    latest_on = serializers.DateField(allow_null=True)
    expected_at_end = serializers.IntegerField(allow_null=True)
    low_at_end = serializers.IntegerField(allow_null=True)
    high_at_end = serializers.IntegerField(allow_null=True)


class MeterOutlookOut(serializers.Serializer[Any]):
    meter = serializers.ChoiceField(choices=_METERS)
    limit = serializers.IntegerField(allow_null=True, help_text="null is unlimited")
    used = serializers.IntegerField()
    resets_at = serializers.DateTimeField(allow_null=True, help_text="null never resets")
    days_known = serializers.IntegerField()
    forecast = PaceOut(
        allow_null=True, help_text=f"null while fewer than {LEAST_DAYS} whole days are known"
    )


class UsageForecastOut(serializers.Serializer[Any]):
    meters = MeterOutlookOut(many=True)


class AlertSettingOut(serializers.Serializer[Any]):
    meter = serializers.ChoiceField(choices=_METERS)
    by_mail = serializers.BooleanField()
    by_webhook = serializers.BooleanField()
    percents = serializers.SerializerMethodField(help_text="the fixed ones and `extra_percents`")
    extra_percents = serializers.ListField(child=serializers.IntegerField())
    roles = serializers.ListField(child=serializers.ChoiceField(choices=_ROLES))
    quiet_hours = serializers.IntegerField()

    def get_percents(self, setting: AlertSetting) -> list[int]:
        return sorted({*PERCENTS, *setting.extra_percents})


class AlertSettingsOut(serializers.Serializer[Any]):
    meters = AlertSettingOut(many=True)


class AlertSettingIn(StrictSerializer):
    """What is left out stays as it is."""

    by_mail = serializers.BooleanField(required=False)
    by_webhook = serializers.BooleanField(required=False)
    extra_percents = serializers.ListField(
        child=WholeNumberField(min_value=1, max_value=99), max_length=10, required=False
    )
    roles = serializers.ListField(
        child=serializers.ChoiceField(choices=_ROLES),
        required=False,
        help_text="members of these roles get the mails",
    )
    quiet_hours = WholeNumberField(
        min_value=0,
        max_value=720,
        required=False,
        help_text="so long before the period ends nothing below 90 % is told; at most its last fifth",
    )


def outlook(found: Outlook) -> dict[str, Any]:
    """An outlook as MeterOutlookOut shows it."""
    usage = found.usage
    return {
        "meter": usage.meter.value,
        "limit": usage.limit,
        "used": usage.used,
        "resets_at": usage.resets_at,
        "days_known": found.days_known,
        "forecast": found.forecast,
    }
