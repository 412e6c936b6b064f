"""What a plan's seats, its use above the limits and its add-ons cost, each as one line of a page."""

from collections.abc import Iterator
from fractions import Fraction

from django.utils.formats import number_format
from django.utils.translation import gettext as _

from apps.portal.templatetags.portal import sum_of_money
from billing import catalogue
from billing.catalogue import MeteredPrice, PlanSpec
from billing.catalogue.metered import PriceModel, Tier
from billing.catalogue.words import add_on_name
from billing.money import Money
from billing.plan_shapes import exact_text
from quotas.words import meter_name, number


def price_lines(spec: PlanSpec, *, currency: str, interval: str) -> list[str]:
    """In order: more seats, use by meter, add-ons. Amounts before taxes, in `currency`."""
    return [
        *_seats(spec, currency, interval),
        *(_use(price, currency) for price in spec.metered.values()),
        *_add_ons(spec, currency, interval),
    ]


def _seats(spec: PlanSpec, currency: str, interval: str) -> Iterator[str]:
    if spec.seats is not None:
        minor = spec.seats.amounts.amount_minor(interval=interval, currency=currency)
        yield _("each seat more: %(price)s a month") % {"price": _money(minor, currency)}


def _add_ons(spec: PlanSpec, currency: str, interval: str) -> Iterator[str]:
    for each in catalogue.load().add_ons.values():
        if spec.key in each.plans:
            minor = each.amounts.amount_minor(interval=interval, currency=currency)
            facts = {"name": add_on_name(each.name), "price": _money(minor, currency)}
            yield _("add-on %(name)s: %(price)s a month") % facts


def _use(price: MeteredPrice, currency: str) -> str:
    facts = {"meter": meter_name(price.meter.value), "included": number(price.included)}
    above = _("%(meter)s above %(included)s:") % facts
    if price.model is PriceModel.PERCENTAGE:
        return f"{above} {exact_text(price.share * 100)} %"
    return f"{above} {'; '.join(_tier(tier, price, currency) for tier in price.tiers)}"


def _tier(tier: Tier, price: MeteredPrice, currency: str) -> str:
    facts = {"price": _exact(tier.unit[currency], currency), "units": number(price.size)}
    told = _("%(price)s for %(units)s") % facts
    if tier.flat.get(currency):
        told += f" + {_money(tier.flat[currency], currency)}"
    if tier.up_to is None:
        return told
    return _("%(price)s up to %(units)s") % {"price": told, "units": number(tier.up_to)}


def _money(minor: int, currency: str) -> str:
    return sum_of_money(Money(minor, currency))


def _exact(minor: Fraction, currency: str) -> str:
    """A unit may cost less than a cent."""
    text = number_format(exact_text(minor / 100), use_l10n=True)
    return f"{currency}\N{NO-BREAK SPACE}{text}"
