"""Money at a provider, in words of our own: what it is to collect, and what moved there."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import UUID

from billing.money import Money, total

# How long before an invoice's issue money may have come that it is paid with: a checkout, a cycle.
LOOK_BACK = timedelta(days=45)


@dataclass(frozen=True, slots=True)
class BillLine:
    """One line of an issued invoice as the buyer reads it; negative for what is taken off."""

    text: str
    amount: Money
    starts_at: datetime
    ends_at: datetime


@dataclass(frozen=True, slots=True)
class Bill:
    """What is due of one issued invoice: all its lines, and what was settled before as negative ones."""

    invoice_id: UUID
    reference: str
    tenant_id: UUID
    customer_id: str
    subscription_id: str
    currency: str
    issued_at: datetime
    lines: tuple[BillLine, ...]

    @property
    def total(self) -> Money:
        return total((line.amount for line in self.lines), currency=self.currency)


class Outcome(StrEnum):
    """What became of a wish to collect."""

    PAID = "paid"
    DECLINED = "declined"
    CARRIED = "carried"  # the provider takes it with its next cycle


class TransactionKind(StrEnum):
    """What money did."""

    PAYMENT = "payment"
    REFUND = "refund"
    DISPUTE = "dispute"


class TransactionStatus(StrEnum):
    """Whether it holds. A dispute's money is away while it is open, and comes back when it is won."""

    DONE = "done"
    OPEN = "open"
    WON = "won"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class SeenTransaction:
    """Money that moved at a provider, as it is there now.

    `payment_ref` names what a refund or a dispute is of. `invoice_id` and `refund_id` are ours, where the
    provider was told them.
    """

    provider: str
    ref: str
    kind: TransactionKind
    status: TransactionStatus
    amount: Money
    occurred_at: datetime
    fee: Money | None = None
    payment_ref: str = ""
    customer_id: str = ""
    subscription_id: str = ""
    tenant_id: UUID | None = None
    invoice_id: UUID | None = None
    refund_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Collection:
    """How far collecting a bill has come. `reason` is the provider's own word for a decline."""

    ref: str
    outcome: Outcome
    reason: str = ""
    transactions: tuple[SeenTransaction, ...] = field(default=(), repr=False)


@dataclass(frozen=True, slots=True)
class PaymentMethod:
    """How somebody pays. `label` is what is shown of it: brand and last digits, or an e-mail address."""

    id: str
    provider: str
    kind: str
    label: str
    expires_on: str
    is_default: bool
