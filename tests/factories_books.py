"""Factories of the books' rows. They are written as the database asks: parts before their whole."""

from datetime import timedelta
from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from billing.models import (
    Account,
    CreditMovement,
    CreditNote,
    FiscalStamp,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    NumberSequence,
    Payment,
    Posting,
    Refund,
    TaxProfile,
)
from config.ids import new_id

_BUYER = {"name": "Acme Inc.", "country": "MX"}


class KeptFactory(DjangoModelFactory):
    class Meta:
        abstract = True

    id = factory.LazyFunction(new_id)
    tenant_id = factory.LazyFunction(new_id)
    kept_until = factory.LazyFunction(lambda: timezone.now() + timedelta(days=3650))


class NumberSequenceFactory(DjangoModelFactory[NumberSequence]):
    class Meta:
        model = NumberSequence

    issuer = factory.Sequence(lambda n: f"issuer-{n}")
    series = "invoice"


class AccountFactory(KeptFactory):
    class Meta:
        model = Account

    kind = "receivable"
    currency = "USD"


class JournalEntryFactory(KeptFactory):
    """One dollar from revenue to receivable, with its two postings."""

    class Meta:
        model = JournalEntry

    kind = "issue"
    source_id = factory.LazyFunction(new_id)
    entered_at = factory.LazyFunction(timezone.now)

    @classmethod
    def _create(cls, model_class: Any, *args: Any, **fields: Any) -> Any:
        for kind, amount in (("receivable", 100), ("revenue", -100)):
            kept = {name: fields[name] for name in ("tenant_id", "kept_until")}
            account = AccountFactory(kind=kind, **kept)
            PostingFactory(entry_id=fields["id"], account=account, amount_minor=amount, **kept)
        return super()._create(model_class, *args, **fields)


class PostingFactory(KeptFactory):
    class Meta:
        model = Posting

    currency = "USD"


class DocumentFactory(KeptFactory):
    class Meta:
        abstract = True

    key = factory.Sequence(lambda n: f"key-{n}")
    issuer = "of-tests"
    number = factory.Sequence(lambda n: n + 1)
    reference = factory.LazyAttribute(lambda made: f"TST-{made.number:06d}")
    currency = "USD"
    subtotal_minor = 0
    tax_minor = 0
    total_minor = 0
    seller = factory.LazyFunction(dict)
    buyer = factory.LazyFunction(lambda: dict(_BUYER))
    language = "en"
    issued_at = factory.LazyFunction(timezone.now)


class InvoiceFactory(DocumentFactory):
    """One of nothing, which has no lines."""

    class Meta:
        model = Invoice

    kind = "manual"
    status = "paid"
    due_at = factory.LazyFunction(timezone.now)
    settled_at = factory.LazyFunction(timezone.now)


class InvoiceLineFactory(KeptFactory):
    class Meta:
        model = InvoiceLine

    invoice_id = factory.LazyFunction(new_id)
    position = 1
    kind = "plan"
    subject = "growth"
    quantity = 1
    amount_minor = 0
    starts_at = factory.LazyFunction(timezone.now)
    ends_at = factory.LazyFunction(timezone.now)


class InvoiceTaxFactory(KeptFactory):
    class Meta:
        model = InvoiceTax

    invoice_id = factory.LazyFunction(new_id)
    position = 1
    tax = "iva"
    country = "MX"
    rate_millionths = 160_000
    base_minor = 0
    amount_minor = 0


class CreditNoteFactory(DocumentFactory):
    class Meta:
        model = CreditNote

    invoice = factory.SubFactory(InvoiceFactory)
    reason = "of tests"
    lines = factory.LazyFunction(list)
    taxes = factory.LazyFunction(list)
    subtotal_minor = 100
    total_minor = 100
    reduced_minor = 0
    to_credit_minor = 100


class PaymentFactory(KeptFactory):
    class Meta:
        model = Payment

    invoice = factory.SubFactory(InvoiceFactory)
    provider = "stripe"
    provider_ref = factory.Sequence(lambda n: f"pi_{n}")
    currency = "USD"
    amount_minor = 100
    surplus_minor = 0
    fee_minor = 3
    fee_currency = "USD"
    received_at = factory.LazyFunction(timezone.now)


class RefundFactory(KeptFactory):
    class Meta:
        model = Refund

    payment = factory.SubFactory(PaymentFactory)
    key = factory.Sequence(lambda n: f"refund-{n}")
    provider = "stripe"
    currency = "USD"
    amount_minor = 100
    status = "pending"
    made_at = factory.LazyFunction(timezone.now)


class CreditMovementFactory(KeptFactory):
    class Meta:
        model = CreditMovement

    key = factory.Sequence(lambda n: f"grant:{n}")
    reason = "granted"
    currency = "USD"
    amount_minor = 100
    made_at = factory.LazyFunction(timezone.now)


class FiscalStampFactory(KeptFactory):
    class Meta:
        model = FiscalStamp

    series = "invoice"
    document_id = factory.LazyFunction(new_id)


class TaxProfileFactory(DjangoModelFactory[TaxProfile]):
    class Meta:
        model = TaxProfile

    tenant_id = factory.LazyFunction(new_id)
    name = "Acme S.A. de C.V."
    country = "MX"
    tax_id = "ACM010101AAA"
