"""Taxes by the buyer's country: one for each rate, on the whole invoice, rounded once."""

import tomllib
from datetime import date
from pathlib import Path

import pytest

from billing.catalogue import taxes as tables
from billing.money import Money
from billing.rating.taxes import taxes
from billing.rating.terms import Buyer, Usage
from config.needs import Meter
from tests.billing.offers import APRIL, USD, rated, stretch, terms, told, utc

NOW = utc(2026, 6, 1)


def taxed(minor: int, buyer: Buyer, *, seller: str = "ES", at=NOW) -> list[tuple[str, int, int]]:
    found = taxes(
        base=Money(minor, USD), buyer=buyer, seller=seller, table=tables.tax_table(), at=at
    )
    return [(tax.key, tax.rate_millionths, tax.amount.amount) for tax in found]


@pytest.mark.parametrize(
    ("country", "tax"),
    [
        ("MX", [("iva_mx", 160_000, 1_600)]),
        ("CR", [("iva_cr", 130_000, 1_300)]),
        ("DE", [("vat_DE", 190_000, 1_900)]),
        ("FI", [("vat_FI", 255_000, 2_550)]),
        ("ES", [("vat_ES", 210_000, 2_100)]),
        ("US", []),
        ("GB", []),
        ("", []),
    ],
)
def test_each_country_has_its_rate_and_the_others_none(country, tax):
    assert taxed(10_000, Buyer(country)) == [(key.lower(), *rest) for key, *rest in tax]


def test_tax_is_rounded_half_to_even_also_of_what_is_given_back():
    # 13 % of 50 is 6.5, of 150 it is 19.5.
    found = [taxed(minor, Buyer("CR"))[0][2] for minor in (50, 150, -50, -150)]

    assert found == [6, 20, -6, -20]


@pytest.mark.parametrize(
    ("buyer", "seller", "key"),
    [
        (Buyer("DE", "DE123456789", is_tax_id_valid=True), "ES", "eu_reverse_charge"),
        (Buyer("DE", "DE123456789", is_tax_id_valid=False), "ES", "vat_de"),
        (Buyer("DE", "DE123456789", is_tax_id_valid=True), "DE", "vat_de"),
        (Buyer("GR", "EL123456789", is_tax_id_valid=True), "ES", "eu_reverse_charge"),
        (Buyer("GR", "EL123456789", is_tax_id_valid=True), "GR", "vat_gr"),
        # A seller outside the Union leaves the tax of a business to the business.
        (Buyer("DE", "de123456789", is_tax_id_valid=True), "US", "eu_reverse_charge"),
        (Buyer("MX", "DE123456789", is_tax_id_valid=True), "ES", "iva_mx"),
        (Buyer("DE", "XAXX010101000", is_tax_id_valid=True), "ES", "vat_de"),
    ],
)
def test_a_valid_id_of_another_member_state_alone_reverses_the_charge(buyer, seller, key):
    found = taxed(10_000, buyer, seller=seller)

    assert [each[0] for each in found] == [key]
    assert (found[0][1] == 0) == (key == "eu_reverse_charge")


def test_a_rate_holds_from_its_day_on():
    found = [taxed(100, Buyer("EE"), at=at)[0][2] for at in (utc(2025, 6, 30, 23), utc(2025, 7, 1))]

    assert found == [22, 24]
    assert taxed(100, Buyer("CR"), at=utc(2019, 6, 30)) == []


def test_one_tax_is_on_all_lines_together_and_not_on_each():
    sevens = tuple(Usage(Meter.VISITORS_AT_ONCE, terms(), APRIL, 101) for _ in range(5))

    draft = rated(usage=sevens, buyer=Buyer("MX"))

    # 16 % of 35 is 5.6; of each 7 it would be 1, and 5 in all.
    assert [line.amount.amount for line in draft.lines] == [7, 7, 7, 7, 7]
    assert [(tax.base.amount, tax.amount.amount) for tax in draft.taxes] == [(35, 6)]


def test_a_credit_gives_its_tax_back():
    draft = rated(ends=stretch(terms(), starts_at=utc(2026, 4, 16)), buyer=Buyer("MX"))

    assert told(draft) == [("plan", "small", 1, -1_450)]
    assert (draft.tax.amount, draft.total.amount) == (-232, -1_682)


def test_every_member_state_is_in_the_table():
    states = {country for country, tax in tables.tax_table().countries.items() if tax.is_eu}

    assert len(states) == 27
    assert {
        tables.tax_table().countries[each].rate_millionths(date(2026, 1, 1)) for each in states
    } <= {n * 10_000 for n in range(17, 28)} | {255_000}


@pytest.mark.parametrize(
    ("country", "steps", "told_of"),
    [
        ("mx", [{"since": date(2026, 1, 1), "percent": 16}], "others.mx: two capital"),
        ("MX", [{"since": date(2026, 1, 1), "percent": 0.16}], "others.MX: { key, rates"),
        ("MX", [{"since": "2026", "percent": 16}], "others.MX: { key, rates"),
        ("MX", [], "others.MX: { key, rates"),
        ("MX", 2 * [{"since": date(2026, 1, 1), "percent": 16}], "rates: each day after"),
    ],
)
def test_a_wrong_table_is_refused_by_path(country, steps, told_of):
    with pytest.raises(tables.TaxTableInvalid, match="not valid") as refusal:
        tables.read({"others": {country: {"key": "iva", "rates": steps}}})

    assert told_of in str(refusal.value)


def test_the_file_is_the_table():
    data = tomllib.loads(Path(tables.__file__).with_name("taxes.toml").read_text())

    assert tables.read(data) == tables.tax_table()
