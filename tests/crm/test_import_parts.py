"""The parts of an import that need no database: tables, columns, values."""

import io
from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from apps.crm.services.imports.columns import plan_of
from apps.crm.services.imports.files import open_table
from apps.crm.services.imports.rows import (
    Options,
    RowReader,
    RowRefused,
    day,
    email_address,
    minor_units,
    quantity,
    tag_names,
)
from apps.crm.services.phones import NotAPhone, e164
from config.cells import disarmed
from config.errors import ValidationFailed
from tests.crm.conftest import CDNOW, PURCHASES
from tests.crm.files import text_file

DELIMITERS = {",": ",", ";": ";", "\t": "\t", "|": "|"}
word = st.text(alphabet="abcñé '0", min_size=1, max_size=8).map(str.strip).filter(bool)


@given(
    rows=st.lists(st.tuples(word, word, word), min_size=1, max_size=30),
    delimiter=st.sampled_from(sorted(DELIMITERS)),
    encoding=st.sampled_from(["utf-8", "utf-8-sig", "utf-16"]),
    newline=st.sampled_from(["\n", "\r\n"]),
)
def test_what_was_written_is_read_whatever_the_delimiter_and_the_encoding(
    rows, delimiter, encoding, newline
):
    lines = [delimiter.join(cells) for cells in [("email", "nombre", "apellido"), *rows]]
    table = open_table(text_file(newline.join(lines).encode(encoding)))
    assert [tuple(cells) for _number, cells in table.rows()][1:] == rows


@given(cells=st.lists(st.text(max_size=10), min_size=1, max_size=4))
def test_what_is_disarmed_for_a_spreadsheet_begins_no_formula(cells):
    assert not any(disarmed(cell).startswith(("=", "+", "-", "@", "\t", "\r")) for cell in cells)


@pytest.mark.parametrize("data", [b",", b'""', b'"",""\n,', b" \t\n,,,\n", b"\xef\xbb\xbf,"])
def test_a_file_of_nothing_but_delimiters_is_empty(data):
    with pytest.raises(ValidationFailed) as refused:
        open_table(io.BytesIO(data))
    assert refused.value.facts["errors"] == {"file": ["The file is empty."]}


@example(data=b'b","')
@example(data=b",")
@given(data=st.binary(max_size=400))
def test_any_bytes_are_a_table_or_a_clear_refusal(data):
    with suppress(ValidationFailed):
        table = open_table(io.BytesIO(data))
        reader = RowReader(plan_of(table), Options())
        for _number, cells in table.rows():
            with suppress(RowRefused):
                reader.read(cells)


def test_the_published_file_is_recognised_with_and_without_its_header():
    whole = CDNOW.read_bytes()
    bare = whole.split(b"\n", 1)[1]
    for text in (whole, bare):
        table = open_table(io.BytesIO(text))
        plan = plan_of(table)
        assert list(plan.mapping.values()) == ["external_id", "ordered_on", "quantity", "amount"]
        assert sum(1 for _row in table.rows()) - plan.has_header == PURCHASES


def test_a_lone_date_or_total_is_no_purchase():
    plan = plan_of(open_table(text_file("email,date,colour\na@x.test,2026-01-01,red\n")))
    assert (plan.mapping, plan.ignored_columns) == ({"email": "email"}, ["date", "colour"])


def test_columns_without_names_are_mapped_by_number():
    table = open_table(text_file("a@x.test,Ada\nb@x.test,Bob\n"))
    plan = plan_of(table, {"1": "email", "2": "first_name"})
    assert plan.has_header is False
    assert RowReader(plan, Options()).read(["a@x.test", "Ada"]).contact == {"first_name": "Ada"}


@given(cents=st.integers(0, 10**12), sign=st.sampled_from([".", ","]))
def test_every_amount_in_cents_is_read_back(cents, sign):
    assert minor_units(f"{cents // 100}{sign}{cents % 100:02d}", "USD") == cents


@pytest.mark.parametrize(
    ("text", "currency", "found"),
    [
        ("11.77", "USD", 1_177),
        ("11,7", "EUR", 1_170),
        ("$ 5", "USD", 500),
        ("100.00", "JPY", 100),
        ("1.234", "KWD", 1_234),
        ("0", "USD", 0),
    ],
)
def test_amounts_are_read_in_their_currency(text, currency, found):
    assert minor_units(text, currency) == found


@pytest.mark.parametrize(
    ("text", "currency"),
    [
        ("1,000", "USD"),
        ("1.000", "EUR"),
        ("1.234,50", "EUR"),
        ("-5", "USD"),
        ("1.5", "JPY"),
        ("", "USD"),
        ("1e3", "USD"),
        ("９", "USD"),
        ("999999999999999", "USD"),
    ],
)
def test_amounts_that_two_countries_read_differently_are_refused(text, currency):
    with pytest.raises(ValueError, match="amount"):
        minor_units(text, currency)


def test_days_quantities_addresses_and_tags():
    assert [day("19970630"), day("1997-06-30"), day("1997-06-30T23:59:59Z")] == ["1997-06-30"] * 3
    for wrong in ("03/04/2026", "2026-02-30", "30.6.1997", "soon", "97"):
        with pytest.raises(ValueError, match="date"):
            day(wrong)
    assert quantity("3") == 3
    for wrong in ("0", "-1", "1.5", "x", "²", "9" * 30):
        with pytest.raises(ValueError, match="whole number"):
            quantity(wrong)
    assert email_address("Ada@X.test") == "ada@x.test"
    for wrong in ("ada", "a@b", "a@x.test\n", "a" * 250 + "@x.test"):
        with pytest.raises(ValueError, match=r"."):
            email_address(wrong)
    assert tag_names("VIP; maths,|x") == ["VIP", "maths", "x"]


def test_phones_are_e164_or_refused():
    assert e164("+52 55 1234 5678") == "+525512345678"
    assert e164("55 1234 5678", region="MX") == "+525512345678"
    assert e164("(212) 555-0100", region="US") == "+12125550100"
    for text, region in (
        ("5512345678", None),
        ("12", "MX"),
        ("not a phone", "MX"),
        ("+999123", None),
    ):
        with pytest.raises(NotAPhone):
            e164(text, region=region)
