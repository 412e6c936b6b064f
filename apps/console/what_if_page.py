"""A replayed month as tables: usage against the other plan, refusals that it would have spared, money."""

from typing import Any

from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _

from billing.services.what_if import MeterReplay, Prices, Replay

Table = dict[str, Any]


def panels_of(found: Replay) -> list[Table]:
    """One table for each question."""
    return [_meters(found.meters), _refusals(found), _plans(found)]


def _table(title: str, headers: list[str], rows: list[list[Any]]) -> Table:
    return {"title": title, "table": {"headers": headers, "rows": rows}}


def _meters(meters: list[MeterReplay]) -> Table:
    headers = [_("meter"), _("used"), _("limit"), _("over"), _("first refused")]
    rows = [
        [each.meter.value, _count(each.used), _count(each.limit), _count(each.over), _first(each)]
        for each in meters
    ]
    return _table(_("Usage against that plan"), headers, rows)


def _first(each: MeterReplay) -> str:
    if each.first_refused_at is not None:
        return date_format(each.first_refused_at, "SHORT_DATETIME_FORMAT")
    # API calls are kept as a month's total: that they would not have sufficed is known, not since when.
    return _("at some moment") if each.over else "–"


def _refusals(found: Replay) -> Table:
    headers = [_("refused for"), _("rule"), _("happened"), _("would not have happened")]
    rows = [[each.code, each.rule, each.count, each.avoided] for each in found.refusals]
    return _table(_("Refusals of that month that are still kept"), headers, rows)


def _plans(found: Replay) -> Table:
    headers = [_("from"), _("to"), _("price"), _("difference"), _("gains"), _("loses")]
    prices = found.prices
    row = [
        found.present_plan,
        found.plan,
        f"{_money(prices, prices.present_minor)} → {_money(prices, prices.other_minor)}",
        _money(prices, prices.difference_minor),
        ", ".join(found.features_gained) or "–",
        ", ".join(found.features_lost) or "–",
    ]
    return _table(_("Plan and price"), headers, [row])


def _money(prices: Prices, minor: int) -> str:
    amount = number_format(minor / 100, decimal_pos=2, use_l10n=True, force_grouping=True)
    return f"{prices.currency} {amount} / {prices.interval}"


def _count(value: int | None) -> str:
    return "∞" if value is None else str(number_format(value, use_l10n=True, force_grouping=True))
