"""Stripe's objects, read into words of our own."""

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from billing.money import Money
from billing.providers import events
from billing.providers.base import (
    KnownPrice,
    ProviderStatus,
    ProviderSubscription,
    VerifiedEvent,
)
from billing.providers.bills import SeenTransaction, TransactionKind, TransactionStatus

PROVIDER = "stripe"
_STATUSES = {
    "incomplete": ProviderStatus.INCOMPLETE,
    "incomplete_expired": ProviderStatus.INCOMPLETE,
    "trialing": ProviderStatus.TRIALING,
    "active": ProviderStatus.ACTIVE,
    "past_due": ProviderStatus.PAST_DUE,
    "unpaid": ProviderStatus.UNPAID,
    "paused": ProviderStatus.PAUSED,
    "canceled": ProviderStatus.CANCELLED,
}


def event(payload: Mapping[str, Any]) -> VerifiedEvent:
    """Raises KeyError, TypeError or ValueError for what is no event."""
    return VerifiedEvent(
        provider=PROVIDER,
        id=events.name(payload["id"]),
        kind=events.kind(payload["type"]),
        subscription_ref=_subscription_of(payload["data"]["object"]),
        payload=dict(payload),
    )


def known_price(price: Mapping[str, Any]) -> KnownPrice:
    return KnownPrice(
        lookup_key=price["lookup_key"],
        product_id=str(price["product"]),
        price_id=price["id"],
        amount_minor=price["unit_amount"],
    )


def _moment(seconds: int | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def subscription(found: Mapping[str, Any]) -> ProviderSubscription:
    item = found["items"]["data"][0]
    named = (found.get("metadata") or {}).get("tenant_id")
    return ProviderSubscription(
        provider=PROVIDER,
        id=found["id"],
        customer_id=str(found["customer"]),
        status=_STATUSES[found["status"]],
        price_id=item["price"]["id"],
        created_at=datetime.fromtimestamp(found["created"], UTC),
        # Since API version 2025-03-31 the period belongs to the item.
        period_starts_at=_moment(item["current_period_start"]),
        period_ends_at=_moment(item["current_period_end"]),
        trial_ends_at=_moment(found.get("trial_end")),
        cancels_at_period_end=bool(found.get("cancel_at_period_end")),
        tenant_id=UUID(named) if named else None,
    )


def _subscription_of(subject: Any) -> str:
    """The id of the subscription that an event's object is, or belongs to; empty when to none."""
    if not isinstance(subject, Mapping):
        return ""
    if subject.get("object") == "subscription":
        return events.name(subject["id"])
    return _id_of(subject.get("subscription")) or _id_of(
        _part(_part(subject, "parent"), "subscription_details").get("subscription")
    )


def _part(found: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    part = found.get(name)
    return part if isinstance(part, Mapping) else {}


def _id_of(reference: Any) -> str:
    """Stripe names an object by its id, or expands it."""
    named = reference.get("id") if isinstance(reference, Mapping) else reference
    return events.name(named) if named else ""


def payment(charge: Mapping[str, Any], invoice: Mapping[str, Any]) -> SeenTransaction:
    """A charge that succeeded (its balance transaction expanded), and Stripe's invoice that it paid."""
    kept = charge.get("balance_transaction") or {}
    metadata = invoice.get("metadata") or {}
    return SeenTransaction(
        provider=PROVIDER,
        ref=charge["id"],
        kind=TransactionKind.PAYMENT,
        status=TransactionStatus.DONE,
        amount=_money(charge["amount_captured"], charge["currency"]),
        fee=_money(kept["fee"], kept["currency"]) if kept else None,
        occurred_at=_at(charge["created"]),
        customer_id=_id_of(charge.get("customer")),
        subscription_id=_subscription_of(invoice) if invoice else "",
        tenant_id=_uuid(metadata.get("tenant_id")),
        invoice_id=_uuid(metadata.get("invoice_id")),
    )


_REFUNDS = {"failed": TransactionStatus.FAILED, "canceled": TransactionStatus.FAILED}


def refund(found: Mapping[str, Any]) -> SeenTransaction:
    return SeenTransaction(
        provider=PROVIDER,
        ref=found["id"],
        kind=TransactionKind.REFUND,
        status=_REFUNDS.get(found["status"], TransactionStatus.DONE),
        amount=_money(found["amount"], found["currency"]),
        occurred_at=_at(found["created"]),
        payment_ref=_id_of(found["charge"]),
        refund_id=_uuid((found.get("metadata") or {}).get("refund_id")),
    )


_DISPUTES = {"won": TransactionStatus.WON, "lost": TransactionStatus.DONE}


def dispute(found: Mapping[str, Any]) -> SeenTransaction:
    """A warning has not taken the money yet: only what is no warning is open."""
    is_warning = found["status"].startswith("warning_") or found["status"] == "prevented"
    present = TransactionStatus.FAILED if is_warning else TransactionStatus.OPEN
    return SeenTransaction(
        provider=PROVIDER,
        ref=found["id"],
        kind=TransactionKind.DISPUTE,
        status=_DISPUTES.get(found["status"], present),
        amount=_money(found["amount"], found["currency"]),
        occurred_at=_at(found["created"]),
        payment_ref=_id_of(found["charge"]),
    )


def _money(amount: int, currency: str) -> Money:
    return Money(amount, currency.upper())


def _at(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)


def _uuid(named: str | None) -> UUID | None:
    return UUID(named) if named else None
