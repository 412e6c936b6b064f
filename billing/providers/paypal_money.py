"""PayPal and money: what its own cycle does not take of our invoices, refunds, and what moved there.

PayPal takes a subscription's price by itself at each cycle: that is a payment like any other, for the
tenant's oldest open invoice. What is then still due (seats, usage, tax, an upgrade) is collected by:

1. the outstanding balance, set to exactly what is due and captured at once, where PayPal lets it be raised;
2. else the price of the cycles that begin more than ten days from now: the plan's own and what is due on
   top. What is not due any more is taken off it again (`carry`). Till then the invoice waits (CARRIED).

So the same lines are collected as at Stripe, to the cent; by the second way up to a cycle later. PayPal
shows no lines: the buyer finds them on our invoice.
"""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote
from uuid import UUID

from billing.money import Money, major
from billing.providers import paypal_objects
from billing.providers.base import (
    ProviderNotYet,
    ProviderRefused,
    ProviderSubscription,
    VerifiedEvent,
)
from billing.providers.bills import LOOK_BACK, Bill, Collection, Outcome, SeenTransaction
from billing.providers.paypal_api import Account

_MAY_NOT_RAISE = "AMOUNT_GREATER_THAN_OUTSTANDING_BALANCE"
_SUBSCRIPTIONS = "v1/billing/subscriptions"
# PayPal takes a cycle some time on its day.
_CYCLE_MARGIN = timedelta(days=1)
_CYCLE_PAUSE = timedelta(minutes=10)
_LONGEST_NOTE = 127


class PayPalMoney:
    """The part of a PayPal account that moves money."""

    _account: Account

    def collect(self, bill: Bill, *, key: str, now: datetime) -> Collection:
        """Take exactly what is due, or say that the next cycle must (CARRIED: see `carry`).

        Raises ProviderNotYet while PayPal is about to take its own cycle, which comes first.
        """
        found = self._subscription(bill.subscription_id)
        _refuse_before_cycle(found, now)
        if not self._raised(found, bill.total):
            return Collection(bill.subscription_id, Outcome.CARRIED)
        captured = self._account.post(
            f"{_SUBSCRIPTIONS}/{bill.subscription_id}/capture",
            {
                "note": f"Invoice {bill.reference}"[:_LONGEST_NOTE],
                "capture_type": "OUTSTANDING_BALANCE",
                "amount": _amount(bill.total),
            },
            headers={"PayPal-Request-Id": f"{key}-capture"},
        )
        self._lower(bill.subscription_id, _outstanding(found))
        seen = paypal_objects.payment(captured, paypal_objects.subscription(found))
        if seen is None:
            return Collection(captured["id"], Outcome.DECLINED, str(captured["status"]).lower())
        return Collection(captured["id"], Outcome.PAID, transactions=(seen,))

    def _raised(self, found: Mapping[str, Any], due: Money) -> bool:
        """Make the outstanding balance what is due; False where PayPal does not let it be raised."""
        if _outstanding(found) == due:
            return True
        try:
            self._patch(found["id"], "/billing_info/outstanding_balance", _amount(due))
        except ProviderRefused as refusal:
            if refusal.facts["reason"] == _MAY_NOT_RAISE:
                return False
            raise
        return True

    def _lower(self, subscription_id: str, most: Money) -> None:
        """What we raised and did not get is ours to ask for again: PayPal must not take it beside us."""
        if most < _outstanding(self._subscription(subscription_id)):
            self._patch(subscription_id, "/billing_info/outstanding_balance", _amount(most))

    def carry(self, *, subscription_id: str, amount: Money, cycle: Money | None = None) -> None:
        """Let the cycles that begin more than ten days from now take `amount` beside what they take anyway.

        That is `cycle`, with the seats and add-ons that the buyer agreed to, or the plan's own price.
        Zero sets it again. Harmless twice.
        """
        found = self._subscription(subscription_id, with_plan=True)
        own = self._account.get(f"v1/billing/plans/{found['plan_id']}")
        sequence, price = _regular(own)
        wanted = (cycle or price) + amount
        if _regular(found["plan"])[1] != wanted:
            path = f"/plan/billing_cycles/@sequence=={sequence}/pricing_scheme/fixed_price"
            self._patch(subscription_id, path, _amount(wanted))

    def paid_for(self, bill: Bill, *, now: datetime) -> list[SeenTransaction]:
        """What PayPal has taken of late: it does not know for which invoice."""
        return self.transactions(
            customer_id=bill.customer_id,
            subscription_id=bill.subscription_id,
            since=bill.issued_at - LOOK_BACK,
            until=now + timedelta(days=1),
        )

    def withdraw(self, bill: Bill) -> None:
        """PayPal tries again what one of its cycles could not take: not for an invoice that is void."""
        self._lower(bill.subscription_id, Money(0, bill.currency))

    def refund(
        self, *, payment_ref: str, amount: Money, refund_id: UUID, key: str
    ) -> SeenTransaction:
        """Give a part of a payment back. Raises ProviderRefused where there is less left."""
        made = self._account.post(
            f"v2/payments/captures/{payment_ref}/refund",
            {"amount": _amount(amount), "custom_id": str(refund_id)},
            headers={"PayPal-Request-Id": f"{key}-refund", "Prefer": "return=representation"},
        )
        return paypal_objects.refund(made)

    def transactions(
        self, *, customer_id: str, subscription_id: str, since: datetime, until: datetime
    ) -> list[SeenTransaction]:
        """All payments of a subscription since then. PayPal tells refunds by webhook alone."""
        if not subscription_id:
            return []
        paid_for = paypal_objects.subscription(self._subscription(subscription_id))
        return list(self._payments(paid_for, since, until))

    def _payments(
        self, paid_for: ProviderSubscription, since: datetime, until: datetime
    ) -> Iterator[SeenTransaction]:
        window = f"start_time={_told(since)}&end_time={_told(until)}"
        found = self._account.get(f"{_SUBSCRIPTIONS}/{paid_for.id}/transactions?{window}")
        for one in found.get("transactions", []):
            seen = paypal_objects.payment(one, paid_for)
            if seen is not None:
                yield seen

    def concerned(self, event: VerifiedEvent) -> list[SeenTransaction]:
        """The refund that an event speaks of; or the payment, with all before it.

        PayPal names no invoice, so that payments are entered in the order in which they were made: one
        whose event comes first must not be taken for an earlier one.
        """
        subject = event.payload["resource"]
        if event.kind.endswith("CAPTURE.REFUNDED"):
            return [
                paypal_objects.refund(self._account.get(f"v2/payments/refunds/{subject['id']}"))
            ]
        if not event.subscription_ref or "create_time" not in subject:
            return []
        at = datetime.fromisoformat(subject["create_time"])
        return self.transactions(
            customer_id="",
            subscription_id=event.subscription_ref,
            since=at - LOOK_BACK,
            until=at + timedelta(days=1),
        )

    def declined(self, event: VerifiedEvent) -> bool:
        """Whether PayPal has failed to collect since it last succeeded."""
        if not event.subscription_ref:
            return False
        found = self._subscription(event.subscription_ref)
        return bool(int((found.get("billing_info") or {}).get("failed_payments_count") or 0))

    def _subscription(self, subscription_id: str, *, with_plan: bool = False) -> dict[str, Any]:
        fields = "?fields=plan" if with_plan else ""
        found: dict[str, Any] = self._account.get(f"{_SUBSCRIPTIONS}/{subscription_id}{fields}")
        return found

    def _patch(self, subscription_id: str, path: str, value: Mapping[str, Any]) -> None:
        patch = [{"op": "replace", "path": path, "value": value}]
        self._account.patch(f"{_SUBSCRIPTIONS}/{subscription_id}", patch)


def _refuse_before_cycle(found: Mapping[str, Any], now: datetime) -> None:
    info = found.get("billing_info") or {}
    due = info.get("next_billing_time")
    if found["status"] != "ACTIVE" or not due:
        return
    at = datetime.fromisoformat(due)
    has_begun = "last_payment" in info or int(info.get("failed_payments_count") or 0) > 0
    if not has_begun:
        raise ProviderNotYet(provider="paypal", until=now + _CYCLE_PAUSE)
    if at <= now + _CYCLE_MARGIN:
        raise ProviderNotYet(provider="paypal", until=max(at, now) + _CYCLE_PAUSE)


def _outstanding(found: Mapping[str, Any]) -> Money:
    return paypal_objects.money(found["billing_info"]["outstanding_balance"])


def _regular(plan: Mapping[str, Any]) -> tuple[int, Money]:
    cycle = next(one for one in plan["billing_cycles"] if one["tenure_type"] == "REGULAR")
    return int(cycle["sequence"]), paypal_objects.money(cycle["pricing_scheme"]["fixed_price"])


def _amount(money: Money) -> dict[str, str]:
    return {"value": major(money), "currency_code": money.currency}


def _told(moment: datetime) -> str:
    return quote(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
