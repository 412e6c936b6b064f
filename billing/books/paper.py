"""Invoices and credit notes on paper: A4, from the snapshot alone, in Spanish or English.

They are no fiscal documents: those come from billing/providers/fiscal.py, where a country asks for them.
"""

from collections.abc import Iterable, Iterator
from functools import partial
from io import BytesIO
from typing import Any

from django.utils.translation import gettext as _
from django.utils.translation import override
from reportlab.lib import colors
from reportlab.lib.pagesizes import A4
from reportlab.lib.styles import ParagraphStyle, getSampleStyleSheet
from reportlab.lib.units import mm
from reportlab.platypus import Flowable, Paragraph, SimpleDocTemplate, Spacer, Table, TableStyle

from billing.books import lettering, wording
from billing.models import CreditNote, Invoice
from config.errors import ValidationFailed

LANGUAGES = ("en", "es")
Document = Invoice | CreditNote
_STYLES = getSampleStyleSheet()
_TITLE = ParagraphStyle("heading", parent=_STYLES["Title"], fontName=lettering.BOLD)
_TEXT = ParagraphStyle(
    "text", parent=_STYLES["Normal"], fontName=lettering.REGULAR, fontSize=9, leading=12
)
_RIGHT = ParagraphStyle("right", parent=_TEXT, alignment=2)
_SMALL = ParagraphStyle("small", parent=_TEXT, fontSize=7, textColor=colors.grey)
_MARGIN = 18 * mm
_WIDTHS = (96 * mm, 46 * mm, 32 * mm)
_RULES = TableStyle(
    [
        ("LINEBELOW", (0, 0), (-1, 0), 0.8, colors.black),
        ("LINEBELOW", (0, 1), (-1, -1), 0.25, colors.lightgrey),
        ("VALIGN", (0, 0), (-1, -1), "TOP"),
    ]
)
_FLUSH = TableStyle([("VALIGN", (0, 0), (-1, -1), "TOP"), ("LEFTPADDING", (0, 0), (-1, -1), 0)])


def language_of(document: Document, asked: str) -> str:
    """The language that is asked for, that of the issue where none is. Raises ValidationFailed."""
    if asked and asked not in LANGUAGES:
        raise ValidationFailed(errors={"language": [f"One of {', '.join(LANGUAGES)}."]})
    return asked or (document.language if document.language in LANGUAGES else LANGUAGES[0])


def invoice_pdf(invoice: Invoice, *, language: str) -> bytes:
    """The same bytes for the same invoice, language and settlement."""
    with override(language):
        return _printed(invoice, _("Invoice"), [*_lines(invoice), *_settlement(invoice)])


def credit_note_pdf(note: CreditNote, *, language: str) -> bytes:
    with override(language):
        about = _("For invoice %(number)s. %(reason)s") % {
            "number": note.invoice.reference,
            "reason": note.reason,
        }
        return _printed(note, _("Credit note"), [_text(about), Spacer(1, 4 * mm), *_back(note)])


def _printed(document: Document, title: str, parts: list[Flowable]) -> bytes:
    lettering.register()
    made = BytesIO()
    paper = SimpleDocTemplate(
        made,
        pagesize=A4,
        title=f"{title} {document.reference}",
        author=document.seller["name"],
        leftMargin=_MARGIN,
        rightMargin=_MARGIN,
        topMargin=_MARGIN,
        bottomMargin=_MARGIN,
        invariant=1,  # without the moment of printing
    )
    note = _("This is no fiscal document.")
    foot = partial(_foot, text=f"{document.reference} · {note}")
    paper.build([*_head(document, title), *parts], onFirstPage=foot, onLaterPages=foot)
    return made.getvalue()


def _head(document: Document, title: str) -> Iterator[Flowable]:
    yield Paragraph(lettering.marked(f"{title} {document.reference}"), _TITLE)
    yield _text(_("Issued on %(day)s") % {"day": wording.day(document.issued_at)})
    yield Spacer(1, 4 * mm)
    seller, buyer = _party(_("From"), document.seller), _party(_("To"), document.buyer)
    yield Table([[seller, buyer]], colWidths=(87 * mm, 87 * mm), hAlign="LEFT", style=_FLUSH)
    yield Spacer(1, 6 * mm)


def _party(title: str, party: dict[str, Any]) -> list[Flowable]:
    place = " ".join(part for part in (party.get("postal_code"), party.get("city")) if part)
    told = [party["name"], party.get("address"), place, party.get("region"), party.get("country")]
    if party.get("tax_id"):
        told.append(_("Tax id: %(id)s") % {"id": party["tax_id"]})
    return [_text(f"{title}:"), *(_text(each) for each in told if each)]


def _lines(invoice: Invoice) -> Iterator[Flowable]:
    rows = [
        (wording.describe(line), wording.span(line), _amount(line.amount_minor, invoice))
        for line in invoice.lines.all()
    ]
    yield _table((_("What"), _("For"), _("Amount")), rows)
    sums = [(_("Subtotal"), _amount(invoice.subtotal_minor, invoice))]
    sums += [
        (wording.name_tax(tax), _amount(tax.amount_minor, invoice)) for tax in invoice.taxes.all()
    ]
    yield _sums([*sums, (_("Total"), _amount(invoice.total_minor, invoice))])


def _settlement(invoice: Invoice) -> Iterator[Flowable]:
    settled = (
        (_("Credit set off"), invoice.applied_minor),
        (_("Paid"), invoice.paid_minor),
        (_("Taken back by credit notes"), invoice.credited_minor),
    )
    rows = [(name, _amount(-minor, invoice)) for name, minor in settled if minor]
    yield _sums([*rows, (_("To be paid"), _amount(invoice.amount_due.amount, invoice))])
    if invoice.status == Invoice.Status.VOID:
        yield _text(_("This invoice is void."))


def _back(note: CreditNote) -> Iterator[Flowable]:
    lines = {line.position: line for line in note.invoice.lines.all()}
    taxes = {tax.position: tax for tax in note.invoice.taxes.all()}
    rows = [
        (
            wording.describe(lines[each["position"]]),
            wording.span(lines[each["position"]]),
            _amount(each["amount_minor"], note),
        )
        for each in note.lines
    ]
    yield _table((_("What"), _("For"), _("Amount")), rows)
    sums = [(_("Subtotal"), _amount(note.subtotal_minor, note))]
    sums += [
        (wording.name_tax(taxes[each["position"]]), _amount(each["amount_minor"], note))
        for each in note.taxes
    ]
    yield _sums([*sums, (_("Total taken back"), _amount(note.total_minor, note))])


def _table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Flowable:
    cells = [[*map(_text, row[:-1]), _right(row[-1])] for row in (head, *rows)]
    return Table(cells, colWidths=_WIDTHS, style=_RULES, repeatRows=1, hAlign="LEFT")


def _sums(rows: Iterable[tuple[str, str]]) -> Flowable:
    cells = [[_right(name), _right(amount)] for name, amount in rows]
    widths = (sum(_WIDTHS[:-1]), _WIDTHS[-1])
    return Table(cells, colWidths=widths, hAlign="LEFT", spaceBefore=2 * mm)


def _amount(minor: int, document: Document) -> str:
    return wording.amount(minor, document.currency)


def _text(text: str) -> Flowable:
    return Paragraph(lettering.marked(text), _TEXT)


def _right(text: str) -> Flowable:
    return Paragraph(lettering.marked(text), _RIGHT)


def _foot(canvas: Any, paper: Any, *, text: str) -> None:
    page = _("Page %(number)s") % {"number": canvas.getPageNumber()}
    line = Paragraph(lettering.marked(f"{text} · {page}"), _SMALL)
    line.wrap(paper.width, _MARGIN)
    line.drawOn(canvas, paper.leftMargin, 10 * mm)
