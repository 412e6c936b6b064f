"""How a tenant wants to be told of each meter: what it has set, or the defaults."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.db import transaction

from config.needs import Meter, Role
from quotas.alerts.models import AlertSetting
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

DEFAULT_ROLES = (Role.OWNER.value, Role.BILLING.value)
DEFAULT_QUIET_HOURS = 48
_CHANGEABLE = ("by_mail", "by_webhook", "extra_percents", "roles", "quiet_hours")


def default_setting(tenant_id: UUID, meter: Meter) -> AlertSetting:
    """By mail to owners and billing people and by webhook; quiet in the last 48 hours of a period."""
    return AlertSetting(
        tenant_id=tenant_id,
        meter=meter.value,
        by_mail=True,
        by_webhook=True,
        extra_percents=[],
        roles=list(DEFAULT_ROLES),
        quiet_hours=DEFAULT_QUIET_HOURS,
    )


def settings_of(tenant_id: UUID, meters: Collection[Meter]) -> dict[Meter, AlertSetting]:
    """What holds for each meter. One query."""
    rows = AlertSetting.objects.filter(
        tenant_id=tenant_id, meter__in=[meter.value for meter in meters]
    )
    known = {row.meter: row for row in rows}
    return {meter: known.get(meter.value) or default_setting(tenant_id, meter) for meter in meters}


@transaction.atomic
def change(*, tenant_id: UUID, meter: Meter, wish: Mapping[str, Any]) -> AlertSetting:
    """Set what `wish` names; the rest stays."""
    row = settings_of(tenant_id, [meter])[meter]
    before = _told(row)
    for name in _CHANGEABLE:
        setattr(row, name, wish.get(name, getattr(row, name)))
    row.extra_percents = sorted(set(row.extra_percents))
    row.roles = sorted(set(row.roles))
    AlertSetting.objects.bulk_create(
        [row],
        update_conflicts=True,
        unique_fields=["tenant_id", "meter"],
        update_fields=[*_CHANGEABLE],
    )
    subject = Subject("alerts", meter.value)
    record(Action.ALERTS_CHANGED, subject, Change(before, _told(row)), tenant_id=tenant_id)
    return row


def _told(row: AlertSetting) -> dict[str, Any]:
    return {name: getattr(row, name) for name in _CHANGEABLE}
