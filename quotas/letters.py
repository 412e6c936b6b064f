"""The letters that tell of usage (tenants/mails)."""

from collections.abc import Iterator, Mapping
from datetime import date, datetime
from typing import Any

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from quotas.words import meter_name, number, pace
from tenants.mails import Letter, LetterKind
from tenants.models import Tenant

_TELLS_FORECAST_FROM = 80


def _threshold(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    told = _told(tenant, facts) | {"percent": facts["percent"]}
    subject = (
        _("%(organisation)s has reached its limit of %(meter)s")
        if facts["percent"] == 100
        else _("%(organisation)s has used %(percent)s %% of its %(meter)s")
    )
    return _letter(subject % told, _of_threshold(facts, told))


def _of_threshold(facts: Mapping[str, Any], told: Mapping[str, Any]) -> Iterator[str]:
    yield _("%(used)s of %(limit)s are in use.") % told
    if facts["percent"] == 100:
        yield _what_of_more(facts)
    elif facts["percent"] >= _TELLS_FORECAST_FROM:
        yield _pace(facts)
    yield from _ways_out(facts)


def _what_of_more(facts: Mapping[str, Any]) -> str:
    if facts["hard"]:
        return _("More is refused until there is room again.")
    if facts.get("billed"):
        return _("More is still taken, and billed.")
    return _("More is still taken, and counted.")


def _forecast(tenant: Tenant, facts: Mapping[str, Any]) -> Letter:
    told = _told(tenant, facts)
    subject = _("%(organisation)s will run out of %(meter)s") % told
    used = _("%(used)s of %(limit)s are in use.") % told
    return _letter(subject, iter([_pace(facts), used, *_ways_out(facts)]))


def _told(tenant: Tenant, facts: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "organisation": tenant.organisation,
        "meter": meter_name(facts["meter"]),
        "used": number(facts["used"]),
        "limit": number(facts["limit"]),
    }


def _pace(facts: Mapping[str, Any]) -> str:
    known = facts["forecast"] or {}
    days = {
        name: date.fromisoformat(text) if (text := known.get(name)) else None
        for name in ("runs_out_on", "earliest_on", "latest_on")
    }
    return pace(
        runs_out=days["runs_out_on"], earliest=days["earliest_on"], latest=days["latest_on"]
    )


def _ways_out(facts: Mapping[str, Any]) -> Iterator[str]:
    if facts["resets_at"]:
        day = date_format(datetime.fromisoformat(facts["resets_at"]), "DATE_FORMAT")
        yield _("The count starts again on %(day)s.") % {"day": day}
    if facts["upgrade_to"]:
        plan = str(facts["upgrade_to"]).title()
        yield _("The plan %(plan)s allows more.") % {"plan": plan}


def _letter(subject: str, paragraphs: Iterator[str]) -> Letter:
    return Letter(
        subject=subject,
        paragraphs=tuple(paragraph for paragraph in paragraphs if paragraph),
        action=_("See usage and plan"),
        path="/plan",
    )


LETTERS = (LetterKind("usage_threshold", _threshold), LetterKind("usage_forecast", _forecast))
