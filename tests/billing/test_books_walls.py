"""What the database keeps of the books by itself, whoever writes: also our own code gone wrong."""

from contextlib import contextmanager

import pytest
from django.db import IntegrityError, ProgrammingError, connection, transaction
from django.db.models import F

from billing import books
from billing.models import (
    Account,
    CreditMovement,
    CreditNote,
    Invoice,
    InvoiceLine,
    InvoiceTax,
    JournalEntry,
    NumberSequence,
    Payment,
    Posting,
    Refund,
)
from tenants.isolation import tenant_context
from tests.billing.books import issued, paid, usd
from tests.factories import (
    InvoiceLineFactory,
    InvoiceTaxFactory,
    JournalEntryFactory,
    PostingFactory,
)

pytestmark = pytest.mark.django_db
TABLES = (
    Account, CreditMovement, CreditNote, Invoice, InvoiceLine, InvoiceTax, JournalEntry,
    NumberSequence, Payment, Posting, Refund,
)  # fmt: skip


@pytest.fixture
def filled(acme, now):
    """A row of each in acme's books; the invoice."""
    invoice = issued(acme, now, 10_000, tax=1_600)
    payment = paid(invoice, 11_600, now)
    books.credit_note(invoice_id=invoice.pk, reason="x", key="cn", amounts={1: 5_000}, now=now)
    books.refund(payment_id=payment.pk, amount=usd(1_000), key="r", now=now)
    assert [model.__name__ for model in TABLES if not model.objects.exists()] == []
    return invoice


@contextmanager
def refused(words: str):
    """The block is refused, at the latest where it would be committed."""
    with pytest.raises(IntegrityError, match=words), transaction.atomic():  # noqa: PT012
        yield
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")


@pytest.mark.parametrize(
    ("model", "changes"),
    [
        (Account, {"currency": "EUR"}),
        (CreditMovement, {"amount_minor": F("amount_minor") + 1}),
        (CreditNote, {"reason": "another"}),
        (Invoice, {"total_minor": F("total_minor") + 1, "subtotal_minor": F("subtotal_minor") + 1}),
        (Invoice, {"buyer": {}}),
        (InvoiceLine, {"facts": {"changed": True}}),
        (InvoiceTax, {"rate_millionths": 1}),
        (JournalEntry, {"note": "another"}),
        (Payment, {"provider_ref": "another"}),
        (Posting, {"amount_minor": F("amount_minor") * 2}),
        (Refund, {"amount_minor": 1}),
    ],
)
def test_nothing_of_the_books_is_rewritten_or_deleted(filled, model, changes):
    with refused("is not rewritten"):
        model.objects.update(**changes)
    with refused("is kept until"):
        model.objects.all()._raw_delete("default")


def test_a_balance_moves_with_postings_alone(filled):
    with refused("moves with its postings alone"):
        Account.objects.update(balance_minor=F("balance_minor") + 1)
    with refused("moves with its postings alone"):
        Account.objects.create(
            tenant_id=filled.tenant_id, kind="fees", currency="EUR", balance_minor=1,
            kept_until=filled.kept_until,
        )  # fmt: skip


def test_nothing_is_added_to_what_stands(filled):
    entry = JournalEntry.objects.latest("id")
    account = Account.objects.get(kind="revenue")
    kept = {"tenant_id": filled.tenant_id}
    with refused("nothing is added to a billing_invoice"):
        InvoiceLineFactory(invoice_id=filled.pk, position=9, **kept)
    with refused("nothing is added to a billing_invoice"):
        InvoiceTaxFactory(invoice_id=filled.pk, position=9, **kept)
    with refused("nothing is added to a billing_journalentry"):
        PostingFactory(entry_id=entry.pk, account=account, amount_minor=5, **kept)


def test_an_entry_that_does_not_balance_is_not_committed(filled):
    account = Account.objects.get(kind="revenue")
    entry = JournalEntryFactory.build(tenant_id=filled.tenant_id)
    with refused("does not balance"):
        for amount in (5, -4):
            PostingFactory(
                tenant_id=filled.tenant_id, entry_id=entry.pk, account=account, amount_minor=amount
            )
        entry.save(force_insert=True)
    with refused("does not balance"):
        JournalEntryFactory.build(tenant_id=filled.tenant_id).save(force_insert=True)
    with refused("its account's tenant and currency"):
        PostingFactory(tenant_id=filled.tenant_id, entry_id=entry.pk, account=account,
                       amount_minor=5, currency="EUR")  # fmt: skip


def test_an_invoice_is_the_sum_of_its_lines(filled):
    wrong = Invoice.objects.get(pk=filled.pk)
    wrong.pk, wrong.key, wrong.number = JournalEntryFactory.build().pk, "wrong", 77
    with refused("is not the sum of its lines"):
        wrong.save(force_insert=True)


@pytest.mark.parametrize(
    ("last", "words"),
    [
        (F("last") + 2, "follow one upon another"),
        (F("last") - 1, "follow one upon another"),
        (F("last") + 1, "is on no document"),
    ],
)
def test_numbers_are_neither_skipped_nor_lost(filled, last, words):
    with refused(words):
        NumberSequence.objects.filter(series="invoice").update(last=last)


def test_credit_is_never_overdrawn(filled):
    from billing.books.journal import Kind, open_book

    with refused("account_credit_is_not_overdrawn"):
        book = open_book(tenant_id=filled.tenant_id, currencies=["USD"], now=filled.issued_at)
        more = book.credit("USD") + usd(1)
        book.post(
            JournalEntry.Kind.CREDIT, filled.pk, [(Kind.CREDIT, more), (Kind.PROMOTIONS, -more)]
        )


@contextmanager
def forbidden(tenant):
    """A statement of the tenant's own role, which PostgreSQL refuses."""
    with (
        pytest.raises(ProgrammingError, match=r"permission denied|must be owner"),
        tenant_context(tenant),
        transaction.atomic(),
        connection.cursor() as cursor,
    ):
        yield cursor


@pytest.mark.parametrize(
    "statement", ["SELECT * FROM {0}", "UPDATE {0} SET {1} = {1}", "DELETE FROM {0}"]
)
def test_a_tenants_role_can_neither_read_nor_change_any_of_it(filled, acme, statement):
    for model in TABLES:
        column = model._meta.concrete_fields[1].column
        with forbidden(acme) as cursor:
            cursor.execute(statement.format(f"public.{model._meta.db_table}", column))


def test_a_tenants_role_cannot_add_to_them_nor_call_what_keeps_them(filled, acme):
    for statement in (
        "INSERT INTO public.billing_numbersequence (issuer, series, last, forgotten)"
        " VALUES ('mine', 'invoice', 0, 0)",
        "INSERT INTO public.billing_posting SELECT * FROM public.billing_posting",
        "ALTER TABLE public.billing_invoice DISABLE TRIGGER rewriting",
        "SELECT plaza.keep_numbers()",
    ):
        with forbidden(acme) as cursor:
            cursor.execute(statement)
