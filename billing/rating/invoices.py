"""From facts to the draft of one invoice."""

from dataclasses import replace

from billing.money import CurrencyMismatch
from billing.rating.lines import Draft
from billing.rating.metered import usage_lines
from billing.rating.recurring import recurring_lines
from billing.rating.taxes import taxes
from billing.rating.terms import PeriodFacts


def rate_period(facts: PeriodFacts) -> Draft:
    """The lines in their order, and one tax for each rate; a total below zero is a credit.

    A period's beginning, a change and an end within one, and use alone are all this: see PeriodFacts.
    The same facts always give the same draft. Raises CurrencyMismatch where some terms are of another
    currency than the invoice, KeyError for a plan, add-on or version that the catalogues lack.
    """
    _same_currency(facts)
    recurring = recurring_lines(
        begins=facts.begins,
        ends=facts.ends,
        catalogues=facts.catalogues,
        currency=facts.currency,
    )
    usage = usage_lines(usage=facts.usage, catalogues=facts.catalogues, currency=facts.currency)
    draft = Draft(facts.currency, (*recurring, *usage))
    return replace(
        draft,
        taxes=taxes(
            base=draft.subtotal,
            buyer=facts.buyer,
            seller=facts.seller,
            table=facts.taxes,
            at=facts.at,
        )
        if draft.lines
        else (),
    )


def _same_currency(facts: PeriodFacts) -> None:
    stretches = [each.terms for each in (facts.begins, facts.ends) if each]
    for terms in (*stretches, *(each.terms for each in facts.usage)):
        if terms.currency != facts.currency:
            raise CurrencyMismatch(f"{facts.currency} and {terms.currency}")
