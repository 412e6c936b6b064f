"""Invoices and credit notes on paper: whatever people are called, in as many pages as it takes."""

from io import BytesIO

import pytest
from pypdf import PdfReader

from billing import books
from billing.books import paper
from billing.models import Invoice
from billing.rating.lines import Draft
from tests.billing.books import line
from tests.billing.test_invoices_http import words_of
from tests.factories import TaxProfileFactory

pytestmark = pytest.mark.django_db
NAMES = ("Łukasz Żółć", "Αθήνα", "Đorđe Šćepović", "東京株式会社", "서울", "Юлия", "Nguyễn", "€ ₡")
MANY = 90


def billed(tenant, now) -> Invoice:
    TaxProfileFactory(
        tenant_id=tenant.pk, name=" & ".join(NAMES), address="ul. Łódzka 5", city="Göteborg",
        region="שלום 😀 ₿", postal_code="00-950", country="PL",
    )  # fmt: skip
    lines = tuple(line(100 + number, subject=f"plan-{number}") for number in range(MANY))
    return books.issue(
        tenant_id=tenant.pk,
        draft=Draft("USD", lines, ()),
        kind=Invoice.Kind.PERIOD,
        key="p",
        now=now,
    )


def test_every_name_is_printed_on_as_many_pages_as_it_takes_and_what_no_font_has_is_seen(acme, now):
    invoice = billed(acme, now)
    note = books.credit_note(invoice_id=invoice.pk, reason="Zażółć 東京", key="n", now=now)

    for language, page in (("en", "Page"), ("es", "Página")):
        made = paper.invoice_pdf(invoice, language=language)
        told = words_of(made)
        assert [name for name in NAMES if name not in told] == []
        assert "\N{REPLACEMENT CHARACTER}" * 4 + " \N{REPLACEMENT CHARACTER}" in told
        assert f"plan-{MANY - 1}" in told
        pages = PdfReader(BytesIO(made)).pages
        assert len(pages) > 2
        assert f"{page} {len(pages)}" in pages[-1].extract_text()
        back = words_of(paper.credit_note_pdf(note, language=language))
        assert [name for name in (*NAMES, "Zażółć 東京") if name not in back] == []
    assert made == paper.invoice_pdf(invoice, language="es")


def test_the_fonts_are_in_the_file_as_the_letters_that_are_used(acme, now):
    made = paper.invoice_pdf(billed(acme, now), language="en")

    fonts = {
        font["/BaseFont"]: "/FontFile2" in font["/FontDescriptor"]
        for page in PdfReader(BytesIO(made)).pages
        for font in (each.get_object() for each in page["/Resources"]["/Font"].values())  # type: ignore[index]
        if font["/Subtype"] == "/TrueType"
    }

    assert sorted(name.partition("+")[2] for name in fonts) == [
        "OpenSans-Bold",
        "OpenSans-Regular",
        "WenQuanYiMicroHei-0",
    ]
    assert all(fonts.values())
    assert len(made) < 150_000


def test_add_ons_are_named_in_the_language_of_the_paper(acme, now):
    lines = tuple(
        line(100, kind="add_on", subject=key) for key in ("emails", "single_sign_on", "gone")
    )
    invoice = books.issue(
        tenant_id=acme.pk, draft=Draft("USD", lines, ()), kind=Invoice.Kind.PERIOD, key="a", now=now
    )

    told = {each: words_of(paper.invoice_pdf(invoice, language=each)) for each in ("en", "es")}

    names = {
        "en": ("Add-on 50,000 e-mails: 1", "Add-on Single sign-on: 1", "Add-on gone: 1"),
        "es": (
            "Complemento 50 000 correos: 1", "Complemento Inicio de sesión único: 1",
            "Complemento gone: 1",
        ),
    }  # fmt: skip
    assert {each: [name for name in names[each] if name not in told[each]] for each in told} == {
        "en": [], "es": [],
    }  # fmt: skip
