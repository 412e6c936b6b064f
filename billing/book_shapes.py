"""Invoices, credit and the tax profile, as clients send and get them."""

from typing import Any
from urllib.parse import urlencode

from django.urls import reverse
from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from billing.books import wording
from billing.models import (
    CreditMovement,
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    Payment,
    TaxProfile,
)
from billing.money import Money
from config.serializers import LineField, RowSerializer, StrictSerializer


class BilledOut(serializers.Serializer[Any]):
    """Whole minor units; negative for what is given back."""

    amount = serializers.IntegerField()
    currency = serializers.CharField()


@extend_schema_field(BilledOut)
class MinorField(serializers.Field[Any, Any, Any, Any]):
    """The column `<name>_minor` of a row as money, in the row's currency."""

    def __init__(self, column: str = "", **options: Any) -> None:
        self.column = column
        super().__init__(**{"read_only": True, "source": "*", **options})

    def to_representation(self, row: Any) -> dict[str, Any]:
        minor = getattr(row, f"{self.column or self.field_name}_minor")
        return {"amount": minor, "currency": row.currency}


@extend_schema_field(BilledOut)
class MoneyField(serializers.Field[Any, Any, Any, Any]):
    """A property that is Money."""

    def to_representation(self, money: Money) -> dict[str, Any]:
        return {"amount": money.amount, "currency": money.currency}


class InvoiceOut(RowSerializer[Invoice]):
    """`number` is what stands on the paper. Moments are UTC; what does not apply is null."""

    number = serializers.CharField(source="reference")
    subtotal = MinorField()
    tax = MinorField()
    total = MinorField()
    credit_applied = MinorField("applied")
    amount_paid = MinorField("paid")
    credited = MinorField()
    written_off = MinorField()
    amount_due = MoneyField(read_only=True)
    pdf_url = serializers.SerializerMethodField()

    class Meta:
        model = Invoice
        fields = [
            *("id", "number", "kind", "status", "currency", "subtotal", "tax", "total"),
            *("credit_applied", "amount_paid", "credited", "written_off", "amount_due"),
            *("issued_at", "due_at", "settled_at", "pdf_url"),
        ]

    def get_pdf_url(self, row: Invoice) -> str:
        return reverse("invoice-pdf", args=[row.pk])


class InvoiceLineOut(RowSerializer[InvoiceLine]):
    """For [starts_at, ends_at). `ledger_url` lists the events that a line of use counts, else null."""

    description = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()
    ledger_url = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceLine
        fields = [
            *("position", "kind", "subject", "description", "quantity", "amount"),
            *("starts_at", "ends_at", "facts", "ledger_url"),
        ]

    def get_description(self, line: InvoiceLine) -> str:
        return wording.describe(line)

    @extend_schema_field(BilledOut)
    def get_amount(self, line: InvoiceLine) -> dict[str, Any]:
        return {"amount": line.amount_minor, "currency": self.context["currency"]}

    def get_ledger_url(self, line: InvoiceLine) -> str | None:
        facts = {name: line.facts.get(name) for name in ("meter", "period_start")}
        if not all(facts.values()):
            return None
        return f"{reverse('usage-events')}?{urlencode(facts)}"


class InvoiceTaxOut(RowSerializer[InvoiceTax]):
    """`rate_millionths` of 160000 is 16 %."""

    name = serializers.SerializerMethodField()
    base = serializers.SerializerMethodField()
    amount = serializers.SerializerMethodField()

    class Meta:
        model = InvoiceTax
        fields = ["tax", "name", "country", "rate_millionths", "base", "amount"]

    def get_name(self, tax: InvoiceTax) -> str:
        return wording.name_tax(tax)

    @extend_schema_field(BilledOut)
    def get_base(self, tax: InvoiceTax) -> dict[str, Any]:
        return {"amount": tax.base_minor, "currency": self.context["currency"]}

    @extend_schema_field(BilledOut)
    def get_amount(self, tax: InvoiceTax) -> dict[str, Any]:
        return {"amount": tax.amount_minor, "currency": self.context["currency"]}


class PaymentOut(RowSerializer[Payment]):
    amount = MoneyField(read_only=True)

    class Meta:
        model = Payment
        fields = ["id", "provider", "amount", "received_at"]


class CreditNoteOut(RowSerializer[CreditNote]):
    """What was taken back of an invoice; amounts are positive. `to_credit` became the customer's credit."""

    number = serializers.CharField(source="reference")
    subtotal = MinorField()
    tax = MinorField()
    total = MinorField()
    to_credit = MinorField()
    pdf_url = serializers.SerializerMethodField()

    class Meta:
        model = CreditNote
        fields = [
            *("id", "number", "reason", "subtotal", "tax", "total", "to_credit"),
            *("issued_at", "pdf_url"),
        ]

    def get_pdf_url(self, row: CreditNote) -> str:
        return reverse("credit-note-pdf", args=[row.pk])


class InvoiceDetailOut(InvoiceOut):
    """With who billed whom, its lines and taxes, what was paid, and what was taken back."""

    lines = serializers.SerializerMethodField()
    taxes = serializers.SerializerMethodField()
    payments = PaymentOut(many=True)
    credit_notes = CreditNoteOut(many=True)
    seller = serializers.DictField()
    buyer = serializers.DictField()

    class Meta(InvoiceOut.Meta):
        fields = [
            *InvoiceOut.Meta.fields,
            *("seller", "buyer", "lines", "taxes", "payments", "credit_notes"),
        ]

    @extend_schema_field(InvoiceLineOut(many=True))
    def get_lines(self, row: Invoice) -> Any:
        return InvoiceLineOut(row.lines.all(), many=True, context={"currency": row.currency}).data

    @extend_schema_field(InvoiceTaxOut(many=True))
    def get_taxes(self, row: Invoice) -> Any:
        return InvoiceTaxOut(row.taxes.all(), many=True, context={"currency": row.currency}).data


class CreditMovementOut(RowSerializer[CreditMovement]):
    """Credit that came (positive) or went; `source_id` is that of the invoice, payment or credit note that moved it."""

    amount = MoneyField(read_only=True)

    class Meta:
        model = CreditMovement
        fields = ["id", "reason", "amount", "source_id", "note", "made_at"]


class TaxProfileIn(StrictSerializer):
    """Who is billed from the next invoice on. What is left out is empty."""

    name = LineField(max_length=200)
    country = serializers.RegexField(r"\A[A-Z]{2}\Z")
    tax_id = LineField(max_length=40, required=False, allow_blank=True)
    address = LineField(max_length=300, required=False, allow_blank=True)
    city = LineField(max_length=100, required=False, allow_blank=True)
    region = LineField(max_length=100, required=False, allow_blank=True)
    postal_code = LineField(max_length=20, required=False, allow_blank=True)


class TaxProfileOut(RowSerializer[TaxProfile]):
    """`tax_id_verified_at` is null until somebody who can know said that the id is the buyer's own."""

    class Meta:
        model = TaxProfile
        fields = [*TaxProfile.FIELDS, "tax_id_verified_at", "updated_at"]
