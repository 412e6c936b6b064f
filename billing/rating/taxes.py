"""One tax for each rate on the whole invoice, rounded half to even once.

- Mexico and Costa Rica: their IVA.
- European Union: the rate of the buyer's member state; a valid VAT id of another member state than the
  seller's is a reverse charge: no tax of ours, and the base that the buyer accounts for.
- Elsewhere, and where the country is unknown: none.

Prices are without tax. What is given back gives back its tax, at the rate of the day of issue.
"""

from datetime import datetime
from fractions import Fraction

from billing.catalogue.taxes import MILLION, CountryTax, TaxTable
from billing.money import Money
from billing.rating.lines import Tax
from billing.rating.terms import Buyer

REVERSE_CHARGE = "eu_reverse_charge"


def taxes(
    *, base: Money, buyer: Buyer, seller: str, table: TaxTable, at: datetime
) -> tuple[Tax, ...]:
    """The taxes on `base`, all lines of the invoice together."""
    country = table.countries.get(buyer.country)
    if country is None:
        return ()
    if is_reverse_charge(buyer, seller=seller, table=table):
        return (Tax(REVERSE_CHARGE, country.country, 0, base, Money(0, base.currency)),)
    return _at_rate(country, base, at)


def is_reverse_charge(buyer: Buyer, *, seller: str, table: TaxTable) -> bool:
    """Whether the buyer accounts for the tax: a business of another member state."""
    state = table.state_of(buyer.tax_id) if buyer.is_tax_id_valid else ""
    home = table.countries.get(buyer.country)
    return bool(state and home and home.is_eu and seller != state)


def _at_rate(country: CountryTax, base: Money, at: datetime) -> tuple[Tax, ...]:
    rate = country.rate_millionths(at.date())
    if rate is None:
        return ()
    amount = base.times(Fraction(rate, MILLION))
    return (Tax(country.key, country.country, rate, base, amount),)
