"""System checks: the tables of money are whole, and nobody bills strangers as the issuer of the example."""

from collections.abc import Callable
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register
from django.core.exceptions import ImproperlyConfigured

from billing.books.costing import cost_table
from billing.books.issuers import issuers
from billing.catalogue.taxes import tax_table

_TABLES: tuple[Callable[[], object], ...] = (issuers, tax_table, cost_table)


@register("plaza")
def tables_of_money_are_whole(**_: Any) -> list[CheckMessage]:
    """A table that breaks its rules would be met by the first invoice: refuse to start."""
    return [
        Error(fault, hint="Mend the file at the places named.", id="plaza.E010")
        for fault in filter(None, map(_fault_of, _TABLES))
    ]


def _fault_of(read: Callable[[], object]) -> str:
    try:
        read()
    except ImproperlyConfigured as error:
        return str(error)
    return ""


@register("plaza", deploy=True)
def production_bills_as_somebody(**_: Any) -> list[CheckMessage]:
    """An invoice without the seller's address and tax id is none; the example's issuer has neither."""
    if not settings.IS_PRODUCTION or _fault_of(issuers):
        return []
    return [
        Error(
            f"The issuer {issuer.key!r} has no {' and no '.join(missing)}.",
            hint="Write your own issuers in a copy of billing/books/issuers.toml; ISSUERS_FILE names it.",
            id="plaza.E011",
        )
        for issuer in issuers()
        if (
            missing := [name for name in ("tax_id", "address") if not getattr(issuer, name).strip()]
        )
    ]
