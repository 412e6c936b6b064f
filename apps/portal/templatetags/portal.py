"""Numbers and money as the reader's language writes them."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from billing.catalogue import PriceSpec
from billing.money import MINOR_PER_MAJOR, Money, major
from config.personal import Personal, shown

register = template.Library()


@register.filter
def amount(value: int | None) -> str:
    """12345 as 12,345 or 12.345; None (no limit) as a word."""
    if value is None:
        return _("unlimited")
    return str(number_format(value, decimal_pos=0, use_l10n=True, force_grouping=True))


@register.filter
def money(price: PriceSpec) -> str:
    """A catalogue price in its currency: all of ours have two minor digits."""
    return sum_of_money(Money(price.amount_minor, price.currency))


@register.filter
def sum_of_money(value: Money) -> str:
    """USD 1,234.50, or as the language has it; cents only where there are some."""
    has_cents = value.amount % MINOR_PER_MAJOR != 0
    shown = number_format(
        major(value), decimal_pos=2 if has_cents else 0, use_l10n=True, force_grouping=True
    )
    return f"{value.currency}\N{NO-BREAK SPACE}{shown}"


@register.filter
def as_email(value: str | None) -> str | None:
    """An e-mail address as the reader may see it."""
    shown_value: str | None = shown(Personal.EMAIL, value)
    return shown_value


@register.filter
def as_phone(value: str | None) -> str | None:
    """A phone as the reader may see it."""
    shown_value: str | None = shown(Personal.PHONE, value)
    return shown_value


@register.filter
def unlocalized(value: int) -> str:
    """A number for an attribute, which machines read."""
    return str(value)
