"""PayPal's objects, read into words of our own."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Any
from uuid import UUID

from billing.money import MINOR_PER_MAJOR, Money
from billing.providers import events
from billing.providers.base import (
    KnownPrice,
    ProviderStatus,
    ProviderSubscription,
    VerifiedEvent,
)
from billing.providers.bills import SeenTransaction, TransactionKind, TransactionStatus

PROVIDER = "paypal"
_STATUSES = {
    "APPROVAL_PENDING": ProviderStatus.INCOMPLETE,
    "APPROVED": ProviderStatus.INCOMPLETE,
    "ACTIVE": ProviderStatus.ACTIVE,
    "SUSPENDED": ProviderStatus.PAUSED,
    "CANCELLED": ProviderStatus.CANCELLED,
    "EXPIRED": ProviderStatus.CANCELLED,
}


def event(payload: dict[str, Any]) -> VerifiedEvent:
    """Raises KeyError, TypeError or ValueError for what is no event."""
    kind = events.kind(payload["event_type"])
    return VerifiedEvent(
        provider=PROVIDER,
        id=events.name(payload["id"]),
        kind=kind,
        subscription_ref=_subscription_of(kind, payload["resource"]),
        payload=payload,
    )


def known_price(plan: Mapping[str, Any]) -> KnownPrice:
    cycle = next(c for c in plan["billing_cycles"] if c["tenure_type"] == "REGULAR")
    amount = money(cycle["pricing_scheme"]["fixed_price"])
    return KnownPrice(plan["name"], plan["product_id"], plan["id"], amount.amount)


def link(found: Mapping[str, Any], rel: str) -> str:
    return next(str(link["href"]) for link in found.get("links", []) if link["rel"] == rel)


def moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def subscription(found: Mapping[str, Any]) -> ProviderSubscription:
    billing = found.get("billing_info") or {}
    starts = moment((billing.get("last_payment") or {}).get("time") or found.get("start_time"))
    ends = moment(billing.get("next_billing_time"))
    cycle_minor, priced_at = _priced(found.get("plan") or {})
    has_period = starts is not None and ends is not None and ends > starts
    return ProviderSubscription(
        provider=PROVIDER,
        id=found["id"],
        customer_id=str((found.get("subscriber") or {}).get("payer_id") or ""),
        status=_status(found["status"], int(billing.get("failed_payments_count") or 0)),
        price_id=found["plan_id"],
        created_at=datetime.fromisoformat(found["create_time"]),
        period_starts_at=starts if has_period else None,
        period_ends_at=ends if has_period else None,
        tenant_id=UUID(found["custom_id"]) if found.get("custom_id") else None,
        cycle_minor=cycle_minor,
        priced_at=priced_at,
    )


def _priced(plan: Mapping[str, Any]) -> tuple[int | None, datetime | None]:
    """What each cycle takes, and since when it does, of a subscription that was read with its plan."""
    for cycle in plan.get("billing_cycles", []):
        scheme = cycle.get("pricing_scheme") or {}
        if cycle["tenure_type"] == "REGULAR" and scheme.get("fixed_price"):
            changed = scheme.get("update_time") or scheme.get("create_time")
            return money(scheme["fixed_price"]).amount, moment(changed)
    return None, None


def _status(named: str, failed_payments: int) -> ProviderStatus:
    """PayPal has no word for "past due": it is active with payments that failed."""
    status = _STATUSES[named]
    return ProviderStatus.PAST_DUE if status == "active" and failed_payments else status


def _subscription_of(kind: str, resource: Any) -> str:
    field = "id" if kind.startswith("BILLING.SUBSCRIPTION.") else "billing_agreement_id"
    named = resource.get(field) if isinstance(resource, Mapping) else None
    return events.name(named) if named else ""


def money(found: Mapping[str, Any]) -> Money:
    """`{"value", "currency_code"}`; all three currencies have two decimals."""
    minor = Decimal(found["value"]) * MINOR_PER_MAJOR
    if minor != int(minor):
        raise ValueError(f"{found['value']} has parts of a minor unit")
    return Money(int(minor), found["currency_code"])


_PAID = frozenset({"COMPLETED", "PARTIALLY_REFUNDED", "REFUNDED"})


def payment(found: Mapping[str, Any], paid_for: ProviderSubscription) -> SeenTransaction | None:
    """A transaction of a subscription; None for one by which nothing came."""
    if found["status"] not in _PAID:
        return None
    breakdown = found["amount_with_breakdown"]
    fee = breakdown.get("fee_amount")
    return SeenTransaction(
        provider=PROVIDER,
        ref=found["id"],
        kind=TransactionKind.PAYMENT,
        status=TransactionStatus.DONE,
        amount=money(breakdown["gross_amount"]),
        fee=money(fee) if fee else None,
        occurred_at=datetime.fromisoformat(found["time"]),
        customer_id=paid_for.customer_id,
        subscription_id=paid_for.id,
        tenant_id=paid_for.tenant_id,
    )


_REFUNDS = {
    "COMPLETED": TransactionStatus.DONE,
    "PENDING": TransactionStatus.DONE,
    "CANCELLED": TransactionStatus.FAILED,
    "FAILED": TransactionStatus.FAILED,
}


def refund(found: Mapping[str, Any]) -> SeenTransaction:
    named = found.get("custom_id")
    return SeenTransaction(
        provider=PROVIDER,
        ref=found["id"],
        kind=TransactionKind.REFUND,
        status=_REFUNDS[found["status"]],
        amount=money(found["amount"]),
        occurred_at=datetime.fromisoformat(found["create_time"]),
        payment_ref=link(found, "up").rpartition("/")[2],
        refund_id=UUID(named) if named else None,
    )
