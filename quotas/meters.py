"""What is counted: the unit, the window after which it starts anew, and how it adds up.

How a period's events become its total, what a refund or a correction of one changes, and what a
hard limit compares:

| aggregation | total | a refund or correction of an event |
|---|---|---|
| sum | of the quantities | adds to the total, or takes from it |
| max | the largest quantity | changes that quantity; the largest of what then stands |
| unique | how many values of `counted_by` were seen | takes the value back, unless another event has it too |
| last | the quantity of the latest event (by when it occurred) | a correction changes it; a refund brings back the one before |

A hard meter refuses what would bring the total above its limit; a soft one only counts.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from config.needs import Meter
from quotas.periods import EPOCH, Anchor, Window, period_around

__all__ = ["EPOCH", "METERS", "Aggregation", "Anchor", "MeterSpec", "Window"]


class Aggregation(StrEnum):
    """How a period's events become its total."""

    SUM = "sum"
    MAX = "max"
    UNIQUE = "unique"
    LAST = "last"


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """One meter as the docs and the gate know it.

    `is_reportable`: usage that happens outside may be reported to it (POST /usage-events).
    `counted_by` is the property whose different values a `unique` meter counts.
    """

    meter: Meter
    unit: str
    window: Window
    meaning: Promise
    hard: bool = True
    aggregation: Aggregation = Aggregation.SUM
    is_reportable: bool = False
    counted_by: str = ""


_PERIOD = Window.BILLING_PERIOD
METERS: Mapping[Meter, MeterSpec] = {
    spec.meter: spec
    for spec in (
        MeterSpec(Meter.API_CALLS, "call", Window.MONTH, _("Requests to the API, by their cost.")),
        MeterSpec(Meter.CONTACTS, "contact", Window.LIFETIME, _("Contacts kept at the same time.")),
        MeterSpec(Meter.SEATS, "seat", Window.LIFETIME, _("Members at the same time.")),
        MeterSpec(Meter.CAMPAIGNS, "campaign", Window.MONTH, _("Campaigns made in a month.")),
        MeterSpec(Meter.BULK_TASKS, "task", Window.DAY, _("Bulk tasks begun in a day.")),
        MeterSpec(Meter.EMAILS, "email", _PERIOD, _("E-mails sent."), is_reportable=True),
        MeterSpec(Meter.SMS, "message", _PERIOD, _("Text messages sent."), is_reportable=True),
        MeterSpec(
            Meter.TEXT_GENERATIONS, "text", _PERIOD, _("Texts generated."), is_reportable=True
        ),
        MeterSpec(Meter.IMAGES, "image", _PERIOD, _("Images generated."), is_reportable=True),
        MeterSpec(
            Meter.TOKENS, "token", _PERIOD, _("Tokens that language models read and wrote."),
            hard=False, is_reportable=True,
        ),
        MeterSpec(
            Meter.VALIDATIONS, "address", _PERIOD, _("Addresses validated."), is_reportable=True
        ),
        MeterSpec(
            Meter.STORAGE_BYTES, "byte", Window.LIFETIME,
            _("Room that tables and indexes take, as last measured."),
            aggregation=Aggregation.LAST,
        ),
        MeterSpec(
            Meter.ACTIVE_PEOPLE, "person", _PERIOD, _("Different people who were active."),
            hard=False, aggregation=Aggregation.UNIQUE, is_reportable=True, counted_by="person",
        ),
        MeterSpec(
            Meter.VISITORS_AT_ONCE, "visitor", _PERIOD, _("Most visitors at the same time."),
            hard=False, aggregation=Aggregation.MAX, is_reportable=True,
        ),
    )
}  # fmt: skip


def period_start(meter: Meter, now: datetime, anchor: Anchor | None = None) -> datetime:
    """The first moment (UTC) of the meter's period that holds `now`; 1970 for a lifetime.

    `anchor` (the snapshot's) is of account to meters of the billing period alone.
    """
    return period_around(METERS[meter].window, now, anchor)[0]


def resets_at(meter: Meter, now: datetime, anchor: Anchor | None = None) -> datetime | None:
    """The first moment (UTC) of the next period; None for a lifetime."""
    return period_around(METERS[meter].window, now, anchor)[1]


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
