"""An invoice in words, in the language that is active: lines, taxes, amounts, days."""

from collections.abc import Callable, Mapping
from datetime import datetime
from decimal import Decimal
from fractions import Fraction

from django.utils.dateparse import parse_datetime
from django.utils.formats import date_format, number_format
from django.utils.translation import gettext as _
from django.utils.translation import pgettext

from billing import catalogue
from billing.catalogue.words import add_on_name
from billing.models import InvoiceLine, InvoiceTax
from billing.money import MINOR_PER_MAJOR
from billing.rating.lines import LineKind
from billing.rating.taxes import REVERSE_CHARGE
from quotas.words import meter_name, number

_WHOLE = Fraction(1)
_MILLIONTHS_IN_PERCENT = 10_000


def describe(line: InvoiceLine) -> str:
    """What a line charges, or gives back, as one sentence without its amount."""
    told = _TELLERS[line.kind](line)
    share = line.facts.get("share")
    if share and Fraction(*share) != _WHOLE:
        told = _("%(what)s, for the rest of the period") % {"what": told}
    if line.amount_minor < 0 and line.kind != LineKind.DISCOUNT:
        told = _("Credit: %(what)s") % {"what": told}
    return told


def name_tax(tax: InvoiceTax) -> str:
    """`IVA MX 16 %`, or that the buyer accounts for it."""
    if tax.tax == REVERSE_CHARGE:
        return _("Reverse charge: the buyer accounts for the tax")
    kind = tax.tax.partition("_")[0]
    name = pgettext("tax", "VAT") if kind == "vat" else kind.upper()
    rate = number_format(Decimal(tax.rate_millionths) / _MILLIONTHS_IN_PERCENT)
    return f"{name} {tax.country} {rate} %"


def amount(minor: int, currency: str) -> str:
    """`1,234.50 USD`, with the language's own separators."""
    whole, rest = divmod(abs(minor), MINOR_PER_MAJOR)
    digits = number_format(f"{whole}.{rest:02d}", decimal_pos=2, use_l10n=True, force_grouping=True)
    return f"{'-' if minor < 0 else ''}{digits} {currency}"


def day(moment: datetime) -> str:
    return date_format(moment, "DATE_FORMAT")


def span(line: InvoiceLine) -> str:
    """The days that it is for."""
    return f"{day(line.starts_at)} – {day(line.ends_at)}"


def _plan(line: InvoiceLine) -> str:
    return _("Plan %(name)s") % {"name": _plan_name(line.subject)}


def _seats(line: InvoiceLine) -> str:
    facts = {"number": number(line.quantity), "plan": _plan_name(line.subject)}
    return _("Seats of plan %(plan)s: %(number)s") % facts


def _add_on(line: InvoiceLine) -> str:
    facts = {"name": _add_on_name(line.subject), "number": number(line.quantity)}
    return _("Add-on %(name)s: %(number)s") % facts


def _usage(line: InvoiceLine) -> str:
    told = f"{_subject(line)}: {number(line.quantity)}"
    included = line.facts.get("included")
    if included:
        told += " " + _("(%(number)s are included)") % {"number": number(int(included))}
    late = line.facts.get("late_units")
    if late:
        told += ", " + _("of which %(number)s came late") % {"number": number(int(late))}
    return told


def _late_usage(line: InvoiceLine) -> str:
    began = parse_datetime(str(line.facts.get("period_start", "")))
    facts = {"use": _usage(line), "day": day(began or line.starts_at)}
    return _("%(use)s, reported late for the period from %(day)s") % facts


def _minimum(line: InvoiceLine) -> str:
    return _("Minimum for %(what)s") % {"what": _subject(line)}


def _discount(line: InvoiceLine) -> str:
    return _("Discount %(coupon)s") % {"coupon": line.subject}


_TELLERS: Mapping[str, Callable[[InvoiceLine], str]] = {
    LineKind.PLAN: _plan,
    LineKind.SEATS: _seats,
    LineKind.ADD_ON: _add_on,
    LineKind.USAGE: _usage,
    LineKind.LATE_USAGE: _late_usage,
    LineKind.MINIMUM: _minimum,
    LineKind.DISCOUNT: _discount,
}


def _plan_name(key: str) -> str:
    """As the catalogue names it, its key where it is sold no more."""
    try:
        return catalogue.plan(key).name
    except KeyError:
        return key


def _add_on_name(key: str) -> str:
    """As the catalogue names it, its key where it is sold no more."""
    found = catalogue.load().add_ons.get(key)
    return add_on_name(found.name) if found else key


def _subject(line: InvoiceLine) -> str:
    try:
        name = meter_name(line.subject)
    except ValueError:  # a meter of an older release
        name = line.subject
    return name[:1].upper() + name[1:]
