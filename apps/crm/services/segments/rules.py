"""A rule as SQL over `contact`.

    {"all": [rule, …]} · {"any": [rule, …]} · {"not": rule}
    {"field": "fields.points", "op": "gte", "value": 10}
    {"tag": "vip"} · {"segment": "<id>"}
    {"orders": "count", "op": "gte", "value": 3, "within_days": 90, "currency": "MXN"}

Fields: e-mail, names, phone, external_id (eq, ne, in, contains, starts_with, is_set; in whatever case), owner_id
and company_id (eq, ne, in, is_set), created_at and updated_at (gte, gt, lte, lt, within_days, before_days), and
custom ones by `fields.<name>` (all of these). `orders` are a count, or a total in minor units of its currency.
Days are UTC's. What is not known is not so: `not` and `ne` hold for it.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import date
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.crm.models import Contact
from apps.crm.services.segments import fields
from apps.crm.services.segments.fields import Sql, days_ago, refused
from config.money import CURRENCIES
from config.personal import Personal, declared_personal, is_personal_hidden, refuse_hidden

_MOST_LEAVES = 100
_MOST_LEVELS = 8
_TAGGED = """EXISTS (SELECT FROM crm_contacttag AS tagged JOIN crm_tag AS tag ON tag.id = tagged.tag_id
 WHERE tagged.contact_id = contact.id AND lower(tag.name) = lower(%s))"""
_IN_SEGMENT = """EXISTS (SELECT FROM crm_segmentmember AS other
 WHERE other.contact_id = contact.id AND other.segment_id = %s)"""
_SIGNS = {"eq": "=", "ne": "<>", "gte": ">=", "gt": ">", "lte": "<=", "lt": "<"}
_BOUGHT = "FROM crm_order AS bought WHERE bought.contact_id = contact.id"
_SUMS = {
    "count": f"SELECT count(*) {_BOUGHT}",
    "total": f"SELECT coalesce(sum(bought.amount_minor), 0) {_BOUGHT}",
}
_LARGEST = 2**62


@dataclass(slots=True)
class Rule:
    """`sql` holds for whoever fits; `uses` are the segments that it names, `turning` its relative dates."""

    sql: Sql
    uses: list[UUID] = field(default_factory=list)
    turning: list[Callable[[date, date], tuple[str, list[Any]]]] = field(default_factory=list)

    def turned(self, since: date, until: date) -> tuple[str, list[Any]] | None:
        """The contacts of whom the answer may have turned as the days went by; None: nobody's can."""
        parts = [made(since, until) for made in self.turning]
        if not parts:
            return None
        return " OR ".join(f"({text})" for text, _p in parts), [p for _t, ps in parts for p in ps]


def read(rule: Any, *, today: date) -> Rule:
    """Raises ValidationFailed, and PersonalDataHidden for a rule on what the caller may not see."""
    reader = _Reader(today)
    sql = reader.read(rule, 1)
    return Rule(sql, sorted(set(reader.uses)), reader.turning)


class _Reader:
    def __init__(self, today: date) -> None:
        self.uses: list[UUID] = []
        self.turning: list[Callable[[date, date], tuple[str, list[Any]]]] = []
        self._today, self._leaves = today, 0

    def read(self, rule: Any, level: int) -> Sql:
        if not isinstance(rule, dict) or level > _MOST_LEVELS:
            raise refused(_("A rule is an object, up to %d deep.") % _MOST_LEVELS)
        names = set(rule)
        if names in ({"all"}, {"any"}):
            [(name, parts)] = rule.items()
            return self._joined(parts, " AND " if name == "all" else " OR ", level)
        if names == {"not"}:
            return fields.negated(self.read(rule["not"], level + 1))
        return self._leaf(rule, names)

    def _joined(self, parts: Any, word: str, level: int) -> Sql:
        if not isinstance(parts, list) or not parts:
            raise refused(_("A list of rules."))
        read = [self.read(part, level + 1) for part in parts]
        return Sql(
            word.join(f"({each.text})" for each in read), [p for e in read for p in e.parameters]
        )

    def _leaf(self, rule: dict[str, Any], names: set[str]) -> Sql:
        self._leaves += 1
        if self._leaves > _MOST_LEAVES:
            raise refused(_("Up to %d conditions.") % _MOST_LEAVES)
        if names == {"field", "op", "value"} and isinstance(rule["field"], str):
            _refuse_what_is_hidden(rule["field"])
            return self._kept(
                fields.condition(rule["field"], str(rule["op"]), rule["value"], self._today)
            )
        if names == {"tag"} and isinstance(rule["tag"], str) and "\0" not in rule["tag"]:
            return Sql(_TAGGED, [rule["tag"][:100]])
        if names == {"segment"}:
            return self._segment(rule["segment"])
        if (
            {"orders", "op", "value"}
            <= names
            <= {"orders", "op", "value", "within_days", "currency"}
        ):
            return self._orders(rule)
        raise refused(_("A rule is one of all, any, not, field, tag, segment, orders."))

    def _kept(self, sql: Sql) -> Sql:
        if sql.turning is not None:
            self.turning.append(sql.turning)
        return sql

    def _segment(self, named: Any) -> Sql:
        try:
            wanted = UUID(named) if isinstance(named, str) else None
        except ValueError:
            wanted = None
        if wanted is None:
            raise refused(_("An id."))
        self.uses.append(wanted)
        return Sql(_IN_SEGMENT, [wanted])

    def _orders(self, rule: dict[str, Any]) -> Sql:
        value, op, currency = rule["value"], rule["op"], rule.get("currency")
        if str(rule["orders"]) not in _SUMS or str(op) not in _SIGNS or type(value) is not int:
            raise refused(_("Orders are counted or totalled, and compared with a whole number."))
        if "currency" in rule and (not isinstance(currency, str) or currency not in CURRENCIES):
            raise refused(_("An ISO 4217 code in capitals, like USD."))
        if abs(value) > _LARGEST or (rule["orders"] == "total" and currency is None):
            raise refused(_("Say the currency of the amount."))
        text, parameters = _SUMS[str(rule["orders"])], list[Any]()
        if currency is not None:
            text, parameters = f"{text} AND bought.currency = %s", [currency]
        if "within_days" in rule:
            since = days_ago(rule["within_days"], self._today)
            text, parameters = f"{text} AND bought.ordered_on >= %s", [*parameters, since]
            self.turning.append(_orders_turned(rule["within_days"]))
        return Sql(f"({text}) {_SIGNS[op]} %s", [*parameters, value])


def _orders_turned(days: int) -> Callable[[date, date], tuple[str, list[Any]]]:
    def turning(since: date, until: date) -> tuple[str, list[Any]]:
        bounds = sorted(days_ago(days, day) for day in (since, until))
        text = "contact.id IN (SELECT contact_id FROM crm_order WHERE ordered_on >= %s AND ordered_on < %s)"
        return text, bounds

    return turning


def _refuse_what_is_hidden(name: str) -> None:
    """A count would tell, letter by letter, what is masked; names are shown to everybody."""
    kind = declared_personal(Contact).get(name.partition(".")[0])
    if is_personal_hidden() and kind not in {None, Personal.NAME}:
        refuse_hidden()
