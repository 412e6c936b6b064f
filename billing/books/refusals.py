"""What the books refuse."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class InvoiceNotOpen(DomainError):
    """Only an open invoice is written off, voided or credited; `status` says what it is."""

    code = "invoice_not_open"
    status = 409
    title = _("This invoice is not open.")


class InvoiceSettled(DomainError):
    """Something was paid or credited already: a credit note takes it back, no void."""

    code = "invoice_settled"
    status = 409
    title = _("This invoice was paid or credited already; issue a credit note instead.")


class CreditNoteTooLarge(DomainError):
    """More would be taken back than the invoice still has; `remaining_minor` says how much that is."""

    code = "credit_note_too_large"
    status = 409
    title = _("This is more than what is left of the invoice.")


class RefundTooLarge(DomainError):
    """More would be sent back than was paid and not yet refunded; `remaining_minor` says how much that is."""

    code = "refund_too_large"
    status = 409
    title = _("This is more than what is left of the payment.")


class CreditTooSmall(DomainError):
    """The customer has less credit than this; `available_minor` says how much."""

    code = "credit_too_small"
    status = 409
    title = _("The credit does not suffice.")
