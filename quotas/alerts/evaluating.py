"""Look at one meter of one tenant, and tell what is news: each threshold and the forecast, once.

Quiet is a threshold below 90 % in the last hours of a period, or while the forecast says that the
limit holds even at the upper end of its interval. It is not written down: should the forecast change,
it is told then. The forecast itself is told once for each period and limit, when it is more likely
than not that the limit is reached before the quiet hours; a mail of 80 % and more tells it as well.
"""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.db import connection, transaction

from config.logs import logger
from config.needs import Meter
from quotas import ledger
from quotas.alerts.models import AlertSetting, UsageAlert
from quotas.alerts.outlook import Outlook, outlooks
from quotas.alerts.settings import settings_of
from quotas.alerts.thresholds import LEAST_URGENT, Told, is_near_end, newly_reached
from quotas.entitlements import snapshot
from quotas.meters import period_start
from tenants import mails, outbound

log = logger(__name__)
_TELLS_FORECAST_FROM = 80


@dataclass(frozen=True, slots=True)
class _Case:
    """One meter at one moment, with all that decides."""

    tenant_id: UUID
    outlook: Outlook
    setting: AlertSetting
    upgrade_to: str | None
    period_start: datetime
    now: datetime

    @property
    def limit(self) -> int:
        return self.outlook.usage.limit or 0

    def is_near_end(self, at: datetime) -> bool:
        return is_near_end(
            at=at,
            starts_at=self.period_start,
            ends_at=self.outlook.usage.resets_at,
            quiet_hours=self.setting.quiet_hours,
        )


@transaction.atomic
def evaluate(*, tenant_id: UUID, meter: Meter, now: datetime) -> list[int]:
    """Tell what is news of this meter: the percents told, 0 for the forecast. Harmless twice."""
    alone(tenant_id, meter.value)
    case = _case(tenant_id, meter, now)
    if not case.limit:
        return []
    alerts = UsageAlert.objects.filter(
        tenant_id=tenant_id, meter=meter.value, period_start=case.period_start
    )
    rows = list(alerts)
    told = _thresholds(case, rows)
    return told + _forecast(case, rows, percents=told)


def alone(tenant_id: UUID, subject: str) -> None:
    """One evaluation of a meter, or of the budget, at a time: two under different limits would not see what the other tells."""
    digest = hashlib.sha256(f"usage_alert:{tenant_id}:{subject}".encode()).digest()
    with connection.cursor() as cursor:
        lock = int.from_bytes(digest[:8], signed=True)
        cursor.execute("SELECT pg_advisory_xact_lock(%s)", [lock])


def _case(tenant_id: UUID, meter: Meter, now: datetime) -> _Case:
    found = snapshot(tenant_id, now=now)
    usage = [each for each in ledger.usage_under(found, now=now) if each.meter is meter]
    return _Case(
        tenant_id=tenant_id,
        outlook=outlooks(tenant_id, usage, now=now)[0],
        setting=settings_of(tenant_id, [meter])[meter],
        upgrade_to=found.upgrade_for(meter, (usage[0].limit or 0) + 1),
        period_start=period_start(meter, now, found.anchor),
        now=now,
    )


def _thresholds(case: _Case, rows: list[UsageAlert]) -> list[int]:
    reached = newly_reached(
        limit=case.limit,
        used=case.outlook.usage.used,
        extra_percents=case.setting.extra_percents,
        told=[Told(row.percent, row.limit, row.used) for row in rows if row.percent],
    )
    if not reached or _is_quiet(case, reached[-1]):
        return []
    *passed, percent = reached
    if not _write(case, percent, passed=passed):
        return []
    name = "usage.limit_reached" if percent == 100 else "usage.threshold_reached"
    _tell(case, name, kind="usage_threshold", facts={"percent": percent, "passed": passed})
    return [percent]


def _is_quiet(case: _Case, percent: int) -> bool:
    if percent >= LEAST_URGENT:
        return False
    forecast = case.outlook.forecast
    return case.is_near_end(case.now) or (forecast is not None and forecast.is_safe)


def _forecast(case: _Case, rows: list[UsageAlert], *, percents: list[int]) -> list[int]:
    forecast, usage = case.outlook.forecast, case.outlook.usage
    is_known = any(row.percent == UsageAlert.FORECAST and row.limit == case.limit for row in rows)
    if is_known or forecast is None or forecast.runs_out_on is None or usage.used >= case.limit:
        return []
    if case.is_near_end(_noon(forecast.runs_out_on, case.now)):
        return []
    is_told = not any(percent >= _TELLS_FORECAST_FROM for percent in percents)
    if not _write(case, UsageAlert.FORECAST, is_told=is_told) or not is_told:
        return []
    _tell(case, "usage.forecast", kind="usage_forecast", facts={})
    return [UsageAlert.FORECAST]


def _noon(day: date, now: datetime) -> datetime:
    return now.replace(year=day.year, month=day.month, day=day.day, hour=12)


def _write(case: _Case, percent: int, *, passed: Sequence[int] = (), is_told: bool = True) -> bool:
    """The rows of what is told and passed over; False when another has written the first of them."""
    facts: dict[str, Any] = {
        "tenant_id": case.tenant_id,
        "meter": case.outlook.usage.meter.value,
        "period_start": case.period_start,
        "limit": case.limit,
        "used": case.outlook.usage.used,
        "told_at": case.now,
    }
    row = UsageAlert(percent=percent, is_told=is_told, **facts)
    over = [UsageAlert(percent=each, is_told=False, **facts) for each in passed]
    UsageAlert.objects.bulk_create([row, *over], ignore_conflicts=True)
    return UsageAlert.objects.filter(pk=row.pk).exists()


def _tell(case: _Case, name: str, *, kind: str, facts: dict[str, Any]) -> None:
    data = _facts(case) | facts
    if case.setting.by_webhook:
        outbound.emit(case.tenant_id, name, data, now=case.now)
    if case.setting.by_mail:
        about = facts.get("percent", UsageAlert.FORECAST)
        meter, period = case.outlook.usage.meter.value, case.period_start.isoformat()
        mails.post(
            tenant_id=case.tenant_id,
            roles=case.setting.roles,
            kind=kind,
            key=f"{kind}:{meter}:{period}:{about}:{case.limit}",
            facts=data,
        )
    log.info("usage_alert.told", extra={"tenant_id": str(case.tenant_id), "event_name": name})


def _facts(case: _Case) -> dict[str, Any]:
    """What a webhook's data and a mail's words are made of."""
    usage = case.outlook.usage
    return {
        "meter": usage.meter.value,
        "unit": usage.unit,
        "limit": usage.limit,
        "used": usage.used,
        "hard": usage.hard,
        "billed": usage.is_billed,
        "period_starts_at": _moment(case.period_start) if usage.resets_at else None,
        "resets_at": _moment(usage.resets_at),
        "upgrade_to": case.upgrade_to,
        "forecast": _dates(case.outlook),
    }


def _dates(outlook: Outlook) -> dict[str, str | None] | None:
    found = outlook.forecast
    if found is None:
        return None
    return {
        "runs_out_on": _day(found.runs_out_on),
        "earliest_on": _day(found.earliest_on),
        "latest_on": _day(found.latest_on),
    }


def _day(value: date | None) -> str | None:
    return value.isoformat() if value else None


def _moment(value: datetime | None) -> str | None:
    return value.isoformat().replace("+00:00", "Z") if value else None
