"""A quote of a change as a page shows it: each line in words, taxes, the total, and when it holds."""

from dataclasses import dataclass

from billing import catalogue
from billing.books.wording import describe, name_tax
from billing.models import InvoiceLine, InvoiceTax
from billing.money import Money
from billing.rating.lines import Draft, Line, Tax
from billing.services.quoting import Quote


@dataclass(frozen=True, slots=True)
class Bill:
    """One invoice to be; a negative total becomes credit."""

    rows: list[tuple[str, Money]]
    total: Money


@dataclass(frozen=True, slots=True)
class QuoteCard:
    """`bills` in order: use in another currency first. None of them where nothing is to be paid."""

    quote: Quote
    plan: str
    bills: list[Bill]
    is_end: bool
    is_nothing: bool


def quote_card(quote: Quote) -> QuoteCard:
    drafts = [draft for draft in (*quote.use, quote.draft) if draft is not None and draft.lines]
    return QuoteCard(
        quote=quote,
        plan=catalogue.plan(quote.terms.plan).name,
        bills=[_bill(draft) for draft in drafts],
        is_end=quote.terms.plan == catalogue.FREE,
        is_nothing=quote.is_at_once and quote.draft is None,
    )


def _bill(draft: Draft) -> Bill:
    lines = [(_told(line), line.amount) for line in draft.lines]
    taxes = [(_named(tax), tax.amount) for tax in draft.taxes]
    return Bill([*lines, *taxes], draft.total)


def _told(line: Line) -> str:
    """In the words of the invoice that follows."""
    return describe(
        InvoiceLine(
            kind=line.kind,
            subject=line.subject,
            quantity=line.quantity,
            amount_minor=line.amount.amount,
            starts_at=line.starts_at,
            ends_at=line.ends_at,
            facts=dict(line.facts),
        )
    )


def _named(tax: Tax) -> str:
    return name_tax(
        InvoiceTax(tax=tax.key, country=tax.country, rate_millionths=tax.rate_millionths)
    )
