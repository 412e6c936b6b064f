"""Invoices, credit and the tax profile over HTTP, and the invoice on paper."""

from datetime import UTC, datetime
from io import BytesIO
from urllib.parse import parse_qs, urlsplit

import pytest
from pypdf import PdfReader

from billing import books
from billing.books import paper
from billing.books.buyers import buyer_of, verify_tax_id
from billing.models import Invoice
from billing.rating.lines import Draft, Tax
from billing.rating.taxes import REVERSE_CHARGE
from billing.rating.terms import Buyer
from tests.billing.books import draft, issued, line, paid, usd
from tests.factories import TaxProfileFactory

pytestmark = pytest.mark.django_db
OCTOBER = "2026-10-01T00:00:00+00:00"


def used(amount: int, **facts):
    told = {"meter": "emails", "period_start": OCTOBER, "included": 1_000, **facts}
    return line(amount, kind=facts.pop("kind", "usage"), subject="emails", **told)


def full(tenant, now):
    """An invoice with a line of each kind that has words of its own."""
    lines = (
        line(9_900, share=[1, 1]),
        line(-3_300, share=[1, 3], subject="starter"),
        used(1_234_50),
        line(55, kind="late_usage", subject="sms", meter="sms", period_start=OCTOBER),
        line(-990, kind="discount", subject="SPRING & <b>"),
    )
    subtotal = usd(sum(each.amount.amount for each in lines))
    taxes = (Tax("iva_mx", "MX", 160_000, subtotal, usd(20_658)),)
    return books.issue(
        tenant_id=tenant.pk,
        draft=Draft("USD", lines, taxes),
        kind=Invoice.Kind.PERIOD,
        key="full",
        now=now,
    )


def words_of(pdf: bytes) -> str:
    """The text of a PDF of ours."""
    pages = PdfReader(BytesIO(pdf)).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)


def test_an_invoice_is_shown_with_its_lines_in_words_and_the_way_to_the_ledger(acme, api, now):
    invoice = full(acme, now)
    payment = paid(invoice, 40_000, now)
    note = books.credit_note(
        invoice_id=invoice.pk, reason="Goodwill", key="cn", amounts={1: 100}, now=now
    )

    shown = api(acme, "billing").get(f"/api/v1/invoices/{invoice.pk}")

    assert shown["number"] == "PLZ-000001"
    assert (shown["status"], shown["amount_due"]) == (
        "open",
        {"amount": 109_657, "currency": "USD"},
    )
    assert [(each["description"], each["amount"]["amount"]) for each in shown["lines"]] == [
        ("Plan Growth", 9_900),
        ("Credit: Plan Starter, for the rest of the period", -3_300),
        ("E-mails: 1 (1,000 are included)", 123_450),
        ("Text messages: 1, reported late for the period from Oct 1, 2026", 55),
        ("Discount SPRING & <b>", -990),
    ]
    address = urlsplit(shown["lines"][2]["ledger_url"])
    assert (address.path, parse_qs(address.query)) == (
        "/api/v1/usage-events",
        {"meter": ["emails"], "period_start": [OCTOBER]},
    )
    assert shown["lines"][0]["ledger_url"] is None
    assert [(tax["name"], tax["amount"]["amount"]) for tax in shown["taxes"]] == [
        ("IVA MX 16 %", 20_658)
    ]
    assert [one["id"] for one in shown["payments"]] == [str(payment.pk)]
    assert [(one["number"], one["reason"]) for one in shown["credit_notes"]] == [
        (note.reference, "Goodwill")
    ]


def test_the_ledger_rows_behind_a_line_are_what_it_charges(acme, api, now):
    from tests.factories import UsageEventFactory

    began = datetime.fromisoformat(OCTOBER)
    for number, (meter, start) in enumerate(
        [("emails", began), ("emails", began), ("sms", began), ("emails", now)]
    ):
        UsageEventFactory(
            tenant_id=acme.pk, meter=meter, period_start=start, key=f"k{number}", quantity=600
        )
    invoice = full(acme, now)

    client = api(acme)
    url = client.get(f"/api/v1/invoices/{invoice.pk}")["lines"][2]["ledger_url"]
    assert sorted(row["key"] for row in client.get(url)["results"]) == ["k0", "k1"]


@pytest.mark.parametrize("role", ["admin", "billing", "owner"])
def test_the_list_pages_and_narrows(acme, api, role):
    for day in (1, 2, 3):
        issued(acme, datetime(2026, 11, day, tzinfo=UTC), 100 * day, key=f"{day}")
    paid(Invoice.objects.get(key="2"), 200, datetime(2026, 11, 4, tzinfo=UTC))
    client = api(acme, role)

    first = client.get("/api/v1/invoices?limit=2")
    second = client.get(first["next"])
    assert [one["number"] for one in (*first["results"], *second["results"])] == [
        "PLZ-000003",
        "PLZ-000002",
        "PLZ-000001",
    ]
    narrowed = client.get("/api/v1/invoices?status=open&issued_at__gte=2026-11-02T00:00:00Z")
    assert [one["total"]["amount"] for one in narrowed["results"]] == [300]


@pytest.mark.parametrize("path", ["invoices", "credits", "tax-profile"])
@pytest.mark.parametrize("role", ["editor", "member", "read_only"])
def test_who_does_not_deal_with_money_sees_none_of_it(acme, api, path, role):
    assert api(acme, role).get(f"/api/v1/{path}", status=403)["code"] == "permission_denied"


def test_credit_is_shown_with_its_balances_and_movements(acme, api, now):
    for number, amount in enumerate((300, 200)):
        books.grant_credit(
            tenant_id=acme.pk, amount=usd(amount), note="Sorry", by="op", key=f"{number}", now=now
        )
    issued(acme, now, 120)

    shown = api(acme).get("/api/v1/credits?reason=applied")

    assert shown["balances"] == [{"amount": 380, "currency": "USD"}]
    assert [(one["reason"], one["amount"]["amount"]) for one in shown["results"]] == [
        ("applied", -120)
    ]


def test_a_tax_profile_is_stated_by_who_pays_and_stands_on_the_next_invoice(acme, api, now):
    before = issued(acme, now, 100)
    client = api(acme, "billing")
    assert client.get("/api/v1/tax-profile")["country"] == ""
    wish = {"name": "Acme GmbH", "country": "DE", "tax_id": "de 136.695-976", "city": "Köln"}
    shown = client.put("/api/v1/tax-profile", wish)

    assert (shown["tax_id"], shown["tax_id_verified_at"]) == ("DE136695976", None)
    assert buyer_of(acme.pk)[0] == Buyer("DE", "DE136695976", is_tax_id_valid=False)
    verify_tax_id(tenant_id=acme.pk, tax_id="DE136695976", by="op", now=now)
    assert buyer_of(acme.pk)[0].is_tax_id_valid is True
    assert issued(acme, now, 100, key="next").buyer["city"] == "Köln"
    assert Invoice.objects.get(pk=before.pk).buyer["city"] == ""
    # Another id has to be verified anew.
    client.put("/api/v1/tax-profile", wish | {"tax_id": "DE129273398"})
    assert buyer_of(acme.pk)[0].is_tax_id_valid is False


@pytest.mark.parametrize(
    ("country", "tax_id"), [("MX", "ACM01"), ("CR", "3-101"), ("DE", "136695976"), ("de", "")]
)
def test_a_tax_id_that_its_country_does_not_write_is_refused(acme, api, country, tax_id):
    wish = {"name": "Acme", "country": country, "tax_id": tax_id}
    assert api(acme).put("/api/v1/tax-profile", wish, status=400)["code"] == "validation_failed"


def test_an_invoice_is_printed_in_both_languages(acme, api, now):
    TaxProfileFactory(tenant_id=acme.pk, name="Peña & Hijos <S.A.>", city="San José")
    invoice = full(acme, datetime(2026, 11, 1, tzinfo=UTC))
    client = api(acme)
    english = client.client.get(f"/api/v1/invoices/{invoice.pk}.pdf")
    spanish = client.client.get(f"/api/v1/invoices/{invoice.pk}.pdf?language=es")

    assert english["Content-Type"] == "application/pdf"
    assert english["Content-Disposition"] == 'inline; filename="PLZ-000001.pdf"'
    told = words_of(english.content)
    for words in (
        "Invoice PLZ-000001", "Issued on Nov 1, 2026", "Peña & Hijos", "San José",
        "Tax id: ACM010101AAA", "Plan Growth", "1,234.50 USD", "-33.00 USD", "Discount SPRING &",
        "IVA MX 16 %", "1,497.73 USD", "This is no fiscal document.",
    ):  # fmt: skip
        assert words in told, (words, told)
    told = words_of(spanish.content)
    for words in (
        "Factura PLZ-000001", "Emitida el 1 nov 2026", "Por pagar", "IVA MX 16 %",
        "Este no es un comprobante fiscal.", "Abono: Plan Starter, por el resto del periodo",
    ):  # fmt: skip
        assert words in told, (words, told)
    again = client.client.get(f"/api/v1/invoices/{invoice.pk}.pdf?language=es")
    assert again.content == spanish.content
    client.get(f"/api/v1/invoices/{invoice.pk}.pdf?language=de", status=400)


def test_a_long_invoice_and_a_credit_note_are_printed_whole(acme, api, now):
    amounts = [100 + number for number in range(120)]
    invoice = issued(acme, now, *amounts, tax=2_550)
    note = books.credit_note(invoice_id=invoice.pk, reason="Too much", key="cn", now=now)

    told = words_of(paper.invoice_pdf(invoice, language="en"))
    assert [words for words in (f"{n / 100:.2f} USD" for n in amounts) if words not in told] == []
    client = api(acme)
    told = words_of(client.client.get(f"/api/v1/credit-notes/{note.pk}.pdf").content)
    assert "Credit note PLZ-CN-000001" in told
    assert "For invoice PLZ-000001. Too much" in told
    assert "216.90 USD" in told


def test_a_reverse_charge_is_said_on_paper(acme, now):
    charge = Tax(REVERSE_CHARGE, "DE", 0, usd(100), usd(0))
    invoice = books.issue(
        tenant_id=acme.pk,
        draft=Draft("USD", draft(100).lines, (charge,)),
        kind=Invoice.Kind.PERIOD,
        key="eu",
        now=now,
    )
    assert "Reverse charge: the buyer accounts for the tax" in words_of(
        paper.invoice_pdf(invoice, language="en")
    )
