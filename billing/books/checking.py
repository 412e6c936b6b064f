"""Do the books still add up? Looked at every day, and by tests: nothing is changed, everything is told."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, LiteralString

from django.db import connection

from config.logs import logger

log = logger(__name__)
# Of each question at most so many answers: where everything is wrong, a few say so.
_MOST = 100


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that does not add up: `code` says what, `subject` where, and what was found and expected."""

    code: str
    subject: str
    found: int
    expected: int


_QUESTIONS: dict[str, LiteralString] = {
    "entry_unbalanced": """
        SELECT entry_id || ' ' || currency, sum(amount_minor), 0 FROM billing_posting
         GROUP BY entry_id, currency HAVING sum(amount_minor) <> 0
    """,
    "balance_is_not_its_history": """
        SELECT account.id::text, account.balance_minor, coalesce(sum(posting.amount_minor), 0)
          FROM billing_account AS account
          LEFT JOIN billing_posting AS posting ON posting.account_id = account.id
         GROUP BY account.id, account.balance_minor
        HAVING account.balance_minor <> coalesce(sum(posting.amount_minor), 0)
    """,
    "receivable_is_not_what_is_due": """
        SELECT account.id::text, account.balance_minor, coalesce(due.amount, 0)
          FROM billing_account AS account
          LEFT JOIN (
            SELECT tenant_id, currency, sum(total_minor - applied_minor - paid_minor
                       - credited_minor - written_off_minor) AS amount
              FROM billing_invoice WHERE status = 'open' GROUP BY tenant_id, currency
          ) AS due USING (tenant_id, currency)
         WHERE account.kind = 'receivable' AND account.balance_minor <> coalesce(due.amount, 0)
    """,
    "credit_is_not_its_movements": """
        SELECT account.id::text, -account.balance_minor, coalesce(moved.amount, 0)
          FROM billing_account AS account
          LEFT JOIN (
            SELECT tenant_id, currency, sum(amount_minor) AS amount
              FROM billing_creditmovement GROUP BY tenant_id, currency
          ) AS moved USING (tenant_id, currency)
         WHERE account.kind = 'credit' AND -account.balance_minor <> coalesce(moved.amount, 0)
    """,
    "invoice_is_not_the_sum_of_its_lines": """
        SELECT invoice.reference, invoice.subtotal_minor, coalesce(sum(line.amount_minor), 0)
          FROM billing_invoice AS invoice
          LEFT JOIN billing_invoiceline AS line ON line.invoice_id = invoice.id
         GROUP BY invoice.id HAVING invoice.subtotal_minor <> coalesce(sum(line.amount_minor), 0)
    """,
    "numbers_have_a_gap": """
        SELECT issuer || ' ' || series, count(document.number) + forgotten, last
          FROM billing_numbersequence AS sequence
          LEFT JOIN (
            SELECT issuer, 'invoice' AS series, number FROM billing_invoice
             UNION ALL SELECT issuer, 'credit_note', number FROM billing_creditnote
          ) AS document USING (issuer, series)
         GROUP BY issuer, series, forgotten, last
        HAVING count(document.number) + forgotten <> last OR max(document.number) > last
    """,
}


def faults() -> Iterator[Fault]:
    """Everything that does not add up, as the database has it at this moment."""
    with connection.cursor() as cursor:
        for code, question in _QUESTIONS.items():
            cursor.execute(f"{question} LIMIT {_MOST}")
            rows: list[tuple[Any, ...]] = cursor.fetchall()
            for subject, found, expected in rows:
                yield Fault(code, str(subject), int(found), int(expected))


def check_books() -> int:
    """Tell of everything that does not add up, as errors of the log; how much that is."""
    found = list(faults())
    for fault in found:
        facts = {"fault": fault.code, "subject": fault.subject}
        log.error("books.wrong", extra={**facts, "found": fault.found, "expected": fault.expected})
    return len(found)
