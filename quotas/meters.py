"""What is counted: the unit, the window after which it starts anew, and how it adds up.

Windows of day and month are UTC. A hard meter refuses at its limit; a soft one only counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.needs import Meter


class Window(StrEnum):
    """When a meter starts from zero again."""

    LIFETIME = "lifetime"
    MONTH = "month"
    DAY = "day"


class Aggregation(StrEnum):
    """How a period's events become its total."""

    SUM = "sum"


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """One meter as the docs and the gate know it."""

    meter: Meter
    unit: str
    window: Window
    meaning: Promise
    hard: bool = True
    aggregation: Aggregation = Aggregation.SUM


METERS: Mapping[Meter, MeterSpec] = {
    spec.meter: spec
    for spec in (
        MeterSpec(Meter.API_CALLS, "call", Window.MONTH, _("Requests to the API, by their cost.")),
        MeterSpec(Meter.CONTACTS, "contact", Window.LIFETIME, _("Contacts kept at the same time.")),
        MeterSpec(Meter.SEATS, "seat", Window.LIFETIME, _("Members at the same time.")),
        MeterSpec(Meter.CAMPAIGNS, "campaign", Window.MONTH, _("Campaigns made in a month.")),
    )
}
# Where the period of a lifetime begins.
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def period_start(meter: Meter, now: datetime) -> datetime:
    """The first moment (UTC) of the meter's period that holds `now`; 1970 for a lifetime."""
    day = now.astimezone(UTC).replace(hour=0, minute=0, second=0, microsecond=0)
    window = METERS[meter].window
    if window is Window.LIFETIME:
        return EPOCH
    return day if window is Window.DAY else day.replace(day=1)


def resets_at(meter: Meter, now: datetime) -> datetime | None:
    """The first moment (UTC) of the next period; None for a lifetime."""
    start = period_start(meter, now)
    window = METERS[meter].window
    if window is Window.LIFETIME:
        return None
    if window is Window.DAY:
        return start + timedelta(days=1)
    return (start + timedelta(days=32)).replace(day=1)


def reference_rows() -> list[tuple[str, str, str, str, str, str]]:
    """The docs' table of meters: meter, unit, window, hard or soft, aggregation, meaning."""
    return [
        (
            spec.meter.value,
            spec.unit,
            spec.window.value,
            "hard" if spec.hard else "soft",
            spec.aggregation.value,
            str(spec.meaning),
        )
        for spec in METERS.values()
    ]
