"""Numbers and money as the reader's language writes them."""

from django import template
from django.utils.formats import number_format
from django.utils.translation import gettext as _

from billing.catalogue import PriceSpec

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
    major, minor = divmod(price.amount_minor, 100)
    shown = number_format(
        f"{major}.{minor:02d}" if minor else major,
        decimal_pos=2 if minor else 0,
        use_l10n=True,
        force_grouping=True,
    )
    return f"{price.currency}\N{NO-BREAK SPACE}{shown}"


@register.filter
def unlocalized(value: int) -> str:
    """A number for an attribute, which machines read."""
    return str(value)
