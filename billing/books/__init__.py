"""The books: invoices with numbers, what settles them, and the double-entry journal under all of it.

What others call. Each is one transaction, harmless twice, and takes `now`.
"""

from billing.books.cancelling import void, write_off
from billing.books.checking import check_books
from billing.books.credit_notes import credit_note
from billing.books.credits import apply_credit, balances, grant_credit
from billing.books.invoicing import issue
from billing.books.payments import record_payment
from billing.books.refunds import fail_refund, record_refund, refund
from billing.books.retention import forget_books
from billing.books.stamping import stamp_due

__all__ = [
    "apply_credit",
    "balances",
    "check_books",
    "credit_note",
    "fail_refund",
    "forget_books",
    "grant_credit",
    "issue",
    "record_payment",
    "record_refund",
    "refund",
    "stamp_due",
    "void",
    "write_off",
]
