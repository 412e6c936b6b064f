"""No tenant's role sees or touches billing's tables: they are the square's. What the books keep, triggers do."""

from billing.models import Invoice, Refund
from billing.sealed import books, catalogues
from config.rights import Trigger

FUNCTIONS = (*books.FUNCTIONS, catalogues.KEEP_VERSION)
_REWRITTEN: dict[str, tuple[str, ...]] = {
    "billing_account": ("balance_minor",),
    "billing_journalentry": (),
    "billing_posting": (),
    "billing_invoice": Invoice.SETTLEMENT,
    "billing_invoiceline": (),
    "billing_invoicetax": (),
    "billing_creditnote": (),
    "billing_payment": (),
    "billing_refund": Refund.SETTLEMENT,
    "billing_creditmovement": (),
}
_PARTS = {
    "billing_posting": ("billing_journalentry", "entry_id"),
    "billing_invoiceline": ("billing_invoice", "invoice_id"),
    "billing_invoicetax": ("billing_invoice", "invoice_id"),
}
TRIGGERS = (
    *(
        Trigger("rewriting", table, "BEFORE UPDATE OR DELETE", "refuse_rewriting", columns)
        for table, columns in _REWRITTEN.items()
    ),
    *(
        Trigger("addition", table, "BEFORE INSERT", "refuse_addition", whole)
        for table, whole in _PARTS.items()
    ),
    Trigger("balance_moved", "billing_posting", "AFTER INSERT", "move_balance"),
    Trigger(
        "balance_kept", "billing_account", "BEFORE INSERT OR UPDATE OF balance_minor",
        "keep_balance",
    ),
    Trigger(
        "balanced", "billing_posting", "AFTER INSERT OR DELETE", "check_balanced", ("entry_id",),
        is_deferred=True,
    ),
    Trigger(
        "balanced", "billing_journalentry", "AFTER INSERT", "check_balanced", ("id",),
        is_deferred=True,
    ),
    Trigger("kept", "billing_catalogueversion", "BEFORE UPDATE OR DELETE", "keep_version"),
    Trigger("adds_up", "billing_invoice", "AFTER INSERT", "check_lines", is_deferred=True),
    Trigger(
        "numbers_kept", "billing_numbersequence", "BEFORE INSERT OR UPDATE OR DELETE",
        "keep_numbers",
    ),
    Trigger(
        "number_stands", "billing_numbersequence", "AFTER UPDATE", "check_number",
        is_deferred=True,
    ),
)  # fmt: skip
