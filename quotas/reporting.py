"""Usage that happens outside and is reported: counted once for each key, for ever within retention.

- **When.** An event counts in the period in which it occurred while that period is open: until
  LATE_GRACE after its end. Later it counts in the present period, and says so (`is_late`); so does one
  from before the present subscription's first period. More than CLOCK_SKEW ahead of our clock, or before 1970, is refused.
- **Twice.** A key is the tenant's, whatever the meter. With the same body it answers what is stored;
  with another one it is refused. Two of one batch, of two batches, days or processes count once.
- **Alerts.** A batch that takes a meter's present total across a threshold promises one look at it.
- **Hard meters and the spend cap.** Each event is taken whole or refused, in order; the others of its
  batch stand.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any
from uuid import UUID

import msgspec
from django.utils.translation import gettext as _
from msgspec import Meta

from config.cause import cause_as_json
from config.errors import DomainError, ValidationFailed
from config.ids import new_id
from config.needs import Meter
from quotas import ledger
from quotas.alerts.crossing import promise_alerts
from quotas.caps.budgets import Budget, Place, all_as_json, capped_budgets
from quotas.caps.crossing import promise_spend_alerts
from quotas.entitlements import Snapshot, snapshot
from quotas.meters import METERS, MeterSpec, period_start
from quotas.models import UsageEvent
from quotas.periods import EPOCH, Window, period_around
from quotas.properties import are_same
from quotas.refusals import UsageKeyReused

LATE_GRACE = timedelta(days=3)
CLOCK_SKEW = timedelta(minutes=5)
MOST_UNITS = 10**12
_REPORTABLE = {meter.value: spec for meter, spec in METERS.items() if spec.is_reportable}
# Printable ASCII and everything above the C1 controls: what a seal, a text column and a log can hold.
_LINE = r"^[^\x00-\x1f\x7f-\x9f\u2028\u2029]*\Z"
Scalar = Annotated[str, Meta(max_length=200, pattern=_LINE)] | int | float | bool | None


class UsageReport(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One event as it was sent. `quantity` is in the meter's units; `properties` are flat."""

    key: Annotated[str, Meta(min_length=1, max_length=200, pattern=_LINE)]
    meter: str
    occurred_at: Annotated[datetime, Meta(tz=True)]
    quantity: Annotated[int, Meta(ge=1, le=MOST_UNITS)] = 1
    properties: Annotated[
        dict[Annotated[str, Meta(min_length=1, max_length=40, pattern=_LINE)], Scalar],
        Meta(max_length=20),
    ] = {}


@dataclass(frozen=True, slots=True)
class Stored:
    """An event of the ledger, and whether this call has put it there."""

    event: Mapping[str, Any]
    is_new: bool


class _Row(msgspec.Struct):
    """What plaza.report_usage reads of one event."""

    id: UUID
    key: str
    meter: str
    quantity: int
    period: datetime
    occurred_at: datetime
    is_late: bool
    properties: dict[str, Any]
    value: str | None


def record(
    *, tenant_id: UUID, reports: Sequence[UsageReport | DomainError], now: datetime
) -> list[Stored | DomainError]:
    """Count each report, or tell why not; in order. Two statements, however many there are.

    What is a refusal already stays one. Refuses with ValidationFailed, QuotaExceeded,
    SpendCapReached, UsageKeyReused.
    """
    found = snapshot(tenant_id, now=now)
    asked = [_checked(report, found, now) for report in reports]
    rows = [row for row in asked if isinstance(row, _Row)]
    budgets = capped_budgets(found, {_place(row) for row in rows}, now=now)
    answer: Any = {"totals": {}}
    if rows:
        answer = _report(found, rows, budgets, now)
    _promise_alerts(found, answer)
    return [
        row if isinstance(row, DomainError) else _outcome(row, answer, found, budgets, now)
        for row in asked
    ]


def _checked(
    report: UsageReport | DomainError, found: Snapshot, now: datetime
) -> _Row | DomainError:
    if isinstance(report, DomainError):
        return report
    refusal = _fault(report, now)
    if refusal is not None:
        return refusal
    spec = _REPORTABLE[report.meter]
    period, is_late = _period(spec, report.occurred_at, found, now)
    return _Row(
        id=new_id(),
        key=report.key,
        meter=report.meter,
        quantity=report.quantity,
        period=period,
        occurred_at=report.occurred_at.astimezone(UTC),
        is_late=is_late,
        properties=report.properties,
        value=str(report.properties[spec.counted_by]) if spec.counted_by else None,
    )


def _fault(report: UsageReport, now: datetime) -> ValidationFailed | None:
    spec = _REPORTABLE.get(report.meter)
    if spec is None:
        return _invalid("meter", _("One of %(meters)s.") % {"meters": ", ".join(_REPORTABLE)})
    if report.occurred_at > now + CLOCK_SKEW:
        return _invalid("occurred_at", _("This is in the future."))
    if report.occurred_at < EPOCH:
        return _invalid("occurred_at", _("This is before 1970."))
    return _fault_of_value(spec, report) if spec.counted_by else None


def _fault_of_value(spec: MeterSpec, report: UsageReport) -> ValidationFailed | None:
    value = report.properties.get(spec.counted_by)
    if not (isinstance(value, str) and value):
        return _invalid("properties", _("A text %(name)s is needed.") % {"name": spec.counted_by})
    if report.quantity != 1:
        return _invalid("quantity", _("An event of this meter is 1."))
    return None


def _invalid(field: str, message: str) -> ValidationFailed:
    return ValidationFailed(errors={field: [message]})


def _period(
    spec: MeterSpec, occurred_at: datetime, found: Snapshot, now: datetime
) -> tuple[datetime, bool]:
    """The start of the period in which it counts, and whether that is another than its own."""
    present, _end = period_around(spec.window, now, found.anchor)
    if occurred_at >= present:
        return present, False
    start, end = period_around(spec.window, occurred_at, found.anchor)
    is_ours = spec.window is not Window.BILLING_PERIOD or (
        found.anchor is None or occurred_at >= found.anchor.starts_at
    )
    if is_ours and end is not None and now < end + LATE_GRACE:
        return start, False
    return present, True


def _report(found: Snapshot, rows: list[_Row], budgets: list[Budget], now: datetime) -> Any:
    present = {
        name: period_start(Meter(name), now, found.anchor) for name in {row.meter for row in rows}
    }
    meters = [
        {
            "meter": name,
            "aggregation": METERS[Meter(name)].aggregation.value,
            "allowed": found.limit(Meter(name)) if found.is_hard(Meter(name)) else None,
            "present": present[name],
        }
        for name in sorted(present)
    ]
    events, specs = (msgspec.json.encode(each).decode() for each in (rows, meters))
    tenant_id, told = str(found.tenant_id), all_as_json(budgets)
    answer = msgspec.json.decode(
        ledger.call(
            "report_usage", tenant_id, now.isoformat(), events, specs, told, cause_as_json()
        )
    )
    used = {(Meter(name), start): answer["totals"][name] for name, start in present.items()}
    for budget in budgets:
        period = budget.period.isoformat()
        spent = [answer["spent_before"][period], answer["spent"][period]]
        promise_spend_alerts(found, budget, spent=spent, used=used)
    return answer


def _place(row: _Row) -> Place:
    return Meter(row.meter), row.period


def _promise_alerts(found: Snapshot, answer: Any) -> None:
    """One look for each meter whose present total this batch has taken across a threshold."""
    for meter, used in answer["totals"].items():
        risen = used - answer["before"][meter]
        promise_alerts(found, meter=Meter(meter), quantity=risen, used=used)


def _outcome(
    row: _Row, answer: Any, found: Snapshot, budgets: list[Budget], now: datetime
) -> Stored | DomainError:
    asked = str(row.id)
    if asked in answer["capped"]:
        budget = next(each for each in budgets if each.has(_place(row)))
        spent = answer["capped"][asked]
        return ledger.capped(budget, meter=Meter(row.meter), spent=spent, asked=row.quantity)
    if asked in answer["refused"]:
        return ledger.refusal(
            found,
            meter=Meter(row.meter),
            used=answer["refused"][asked],
            asked=row.quantity,
            now=now,
        )
    if asked not in answer["known"]:
        return Stored(_new(row, now), is_new=True)
    known = answer["known"][asked]
    for name in ("occurred_at", "period_start", "recorded_at"):
        known[name] = datetime.fromisoformat(known[name])
    is_same = all(
        known[name] == getattr(row, name) for name in ("meter", "quantity", "occurred_at")
    ) and are_same(known["properties"], row.properties)
    return Stored(known, is_new=False) if is_same else UsageKeyReused(key=row.key)


def _new(row: _Row, now: datetime) -> dict[str, Any]:
    return {
        "id": row.id,
        "key": row.key,
        "kind": UsageEvent.Kind.REPORTED.value,
        "meter": row.meter,
        "quantity": row.quantity,
        "occurred_at": row.occurred_at,
        "properties": row.properties,
        "period_start": row.period,
        "is_late": row.is_late,
        "recorded_at": now,
        "corrects": None,
        "reason": "",
    }
