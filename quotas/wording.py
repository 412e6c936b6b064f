"""A kept refusal in words: which rule, which grant decided, and what the counter stood at."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils import timezone
from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from config.errors import all_errors
from quotas.decision import SPEND_CAP
from quotas.models import Explanation
from quotas.refusals import HOLDS

_RATES: Mapping[str, Promise] = {
    "tenant": gettext_lazy("Requests of the tenant together"),
    "credential": gettext_lazy("Requests of one person or key"),
    "address": gettext_lazy("Requests of one network address"),
    "public": gettext_lazy("Requests without sign-in of one network address"),
    "critical": gettext_lazy("Requests of one person or key to pages that are always open"),
}


@dataclass(frozen=True, slots=True)
class Why:
    """One refusal as people read it. `others` are grants that say something of the rule and did not decide."""

    request_id: str
    at: datetime
    asked: str
    code: str
    title: str
    rule: str
    grant: str
    others: list[str]
    counter: str
    plan: str
    upgrade_to: str


def why(found: Explanation) -> Why:
    """In the reader's language."""
    told = found.told
    grants = told.get("grants") or []
    deciding = [_grant(each) for each in grants if each.get("decides")]
    return Why(
        request_id=found.request_id,
        at=found.decided_at,
        asked=f"{told.get('method', '')} {told.get('path', '')}".strip(),
        code=found.code,
        title=_title(found.code),
        rule=_rule(told),
        grant=next(iter(deciding), _no_grant(told)),
        others=[_grant(each) for each in grants if not each.get("decides")],
        counter=_counter(told),
        plan=told.get("plan") or "",
        upgrade_to=told.get("upgrade_to") or "",
    )


def _title(code: str) -> str:
    return next((str(error.title) for error in all_errors() if error.code == code), code)


def _rule(told: Mapping[str, Any]) -> str:
    kind, __, name = str(told.get("rule", "")).partition(":")
    word = _RULES.get(kind)
    return word(told, name) if word else kind


def _state_rule(told: Mapping[str, Any], _name: str) -> str:
    reason = (told.get("facts") or {}).get("reason")
    return (
        _("The tenant's state: %(reason)s") % {"reason": reason}
        if reason
        else _("The tenant's state")
    )


def _feature_rule(_told: Mapping[str, Any], name: str) -> str:
    return _("Feature “%(name)s”") % {"name": name}


def _role_rule(told: Mapping[str, Any], _name: str) -> str:
    facts = told.get("facts") or {}
    needed = facts.get("needed_permission", "–")
    if "scopes" in facts:
        return _("The key lacks the scope “%(scope)s”") % {"scope": needed}
    words = {"needed": needed, "role": facts.get("role", "–")}
    return _("The permission “%(needed)s” is needed, which the role “%(role)s” lacks") % words


def _rate_rule(_told: Mapping[str, Any], name: str) -> str:
    known = _RATES.get(name)
    endpoint = name.removeprefix("endpoint:")
    return str(known) if known else _("Requests for “%(endpoint)s”") % {"endpoint": endpoint}


def _meter_rule(_told: Mapping[str, Any], name: str) -> str:
    return _("Allowance of “%(meter)s”") % {"meter": name}


def _cap_rule(_told: Mapping[str, Any], name: str) -> str:
    return _("Spend cap, at “%(meter)s”") % {"meter": name}


_RULES: Mapping[str, Callable[[Mapping[str, Any], str], str]] = {
    "state": _state_rule,
    "feature": _feature_rule,
    "role": _role_rule,
    "rate": _rate_rule,
    "meter": _meter_rule,
    SPEND_CAP: _cap_rule,
    "concurrency": lambda _told, _name: _("Requests at work at the same time"),
    "load": lambda _told, _name: _("The server was overloaded"),
    "unavailable": lambda _told, _name: _("The database was away"),
}


def _grant(told: Mapping[str, Any]) -> str:
    """`override (plan “growth”): 1,000, until Jan. 1, 2027`."""
    parts = [told["source"]]
    if told["plan"] and told["plan"] != told["source"]:
        parts.append(_("(plan “%(plan)s”)") % {"plan": told["plan"]})
    words = " ".join(parts)
    if told.get("states"):
        words += f": {_stated(told['states'])}"
    if told.get("reason"):
        words += f" ({told['reason']})"
    ends = parse_datetime(told["expires_at"]) if told["expires_at"] else None
    return words + (", " + _("until %(moment)s") % {"moment": _moment(ends)} if ends else "")


def _stated(states: Mapping[str, int | None]) -> str:
    limit, seconds = states["limit"], states["seconds"]
    if limit is None:
        return _("no limit")
    adds = states.get("adds")
    if adds is not None:
        added = _("%(units)s more") % {"units": _count(adds)}
        return f"{_count(limit)}, {added}" if limit else added
    if seconds is None:
        return _count(limit)
    return _("%(limit)s in %(seconds)s s") % {"limit": _count(limit), "seconds": _count(seconds)}


def _no_grant(told: Mapping[str, Any]) -> str:
    """Where no grant decided: a feature that none has, a restriction, or a limit of the house itself."""
    if told.get("hold"):
        refusal = HOLDS.get(told["hold"])
        title = str(refusal.title) if refusal else told["hold"]
        return _("A restriction: %(title)s") % {"title": title}
    kind = str(told.get("rule", "")).partition(":")[0]
    if kind == SPEND_CAP:
        return _("The cap that the tenant itself has set")
    if kind in {"feature", "meter"}:
        return _("No grant includes it")
    return _("The house's own rule, the same in every plan")


def _counter(told: Mapping[str, Any]) -> str:
    """`990 of 1,000 used, 20 asked for, starts again on …`; empty where nothing was counted."""
    if told.get("limit") is None or told.get("used") is None:
        return ""
    if str(told.get("rule", "")).startswith(SPEND_CAP):
        return _spent(told)
    facts = {"used": _count(told["used"]), "limit": _count(told["limit"])}
    words = _("%(used)s of %(limit)s used") % facts
    asked = (told.get("facts") or {}).get("asked")
    if asked is not None:
        words += ", " + _("%(asked)s asked for") % {"asked": _count(asked)}
    resets = parse_datetime(told["resets_at"]) if told.get("resets_at") else None
    return words + (
        ", " + _("starts again on %(moment)s") % {"moment": _moment(resets)} if resets else ""
    )


def _spent(told: Mapping[str, Any]) -> str:
    """`9,990 of 10,000 USD spent (hundredths), …`: quotas knows a budget's unit by its name alone."""
    facts = told.get("facts") or {}
    amounts = {
        "spent": _count(told["used"]),
        "cap": _count(told["limit"]),
        "currency": facts.get("currency") or "",
    }
    words = _("%(spent)s of %(cap)s spent, in minor units of %(currency)s") % amounts
    if facts.get("asked") is not None:
        words += ", " + _("%(asked)s asked for") % {"asked": _count(facts["asked"])}
    return words


def _count(value: int) -> str:
    return str(number_format(value, use_l10n=True, force_grouping=True))


def _moment(value: datetime) -> str:
    return date_format(timezone.localtime(value), "SHORT_DATETIME_FORMAT")
