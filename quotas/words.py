"""Usage in sentences for people, in the language that is active."""

from collections.abc import Mapping
from datetime import date
from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import pgettext_lazy

from config.needs import Meter

# Without their windows, which the sentences tell.
NAMES: Mapping[Meter, Promise] = {
    Meter.API_CALLS: pgettext_lazy("meter", "API calls"),
    Meter.CONTACTS: pgettext_lazy("meter", "contacts"),
    Meter.SEATS: pgettext_lazy("meter", "seats"),
    Meter.CAMPAIGNS: pgettext_lazy("meter", "campaigns"),
    Meter.BULK_TASKS: pgettext_lazy("meter", "bulk tasks"),
    Meter.EMAILS: pgettext_lazy("meter", "e-mails"),
    Meter.SMS: pgettext_lazy("meter", "text messages"),
    Meter.TEXT_GENERATIONS: pgettext_lazy("meter", "generated texts"),
    Meter.IMAGES: pgettext_lazy("meter", "generated images"),
    Meter.TOKENS: pgettext_lazy("meter", "tokens of language models"),
    Meter.VALIDATIONS: pgettext_lazy("meter", "validated addresses"),
    Meter.STORAGE_BYTES: pgettext_lazy("meter", "bytes of storage"),
    Meter.ACTIVE_PEOPLE: pgettext_lazy("meter", "active people"),
    Meter.VISITORS_AT_ONCE: pgettext_lazy("meter", "visitors at the same time"),
}


def meter_name(meter: str) -> str:
    return str(NAMES[Meter(meter)])


def number(value: int) -> str:
    return str(number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True))


def pace(*, runs_out: date | None, earliest: date | None, latest: date | None) -> str:
    """When it runs out, and between which days in 8 cases of 10; empty where nothing runs out."""
    if runs_out is None:
        return ""
    facts: dict[str, Any] = {"day": _day(runs_out), "first": _day(earliest or runs_out)}
    if latest is None:
        return _("At this pace you run out on %(day)s (%(first)s at the earliest).") % facts
    if (earliest or runs_out) == latest:
        return _("At this pace you run out on %(day)s.") % facts
    facts["last"] = _day(latest)
    return _("At this pace you run out on %(day)s (between %(first)s and %(last)s).") % facts


def _day(value: date) -> str:
    return date_format(value, "MONTH_DAY_FORMAT")
