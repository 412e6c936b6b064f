"""Stripe and money: our invoices collected line by line, refunds, and what moved there.

Stripe rates nothing. Once a subscription is paid for, its own invoices are voided as they come
(`collect_by_us`), and each invoice of ours becomes one of Stripe's, outside of the subscription, with our
lines as its items: so its total is ours to the cent, and nothing is billed twice. Stripe's own retries
are off (`auto_advance`): dunning is ours.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from billing.money import Money
from billing.providers import stripe_objects
from billing.providers.base import ProviderDiffers, ProviderRefused, VerifiedEvent
from billing.providers.bills import LOOK_BACK, Bill, Collection, Outcome, SeenTransaction
from billing.providers.stripe_calls import every, plain, translated
from billing.providers.stripe_methods import StripeMethods

_ALIVE = ("draft", "open")
# Told as a decline where there is nothing to charge.
NO_METHOD = "no_payment_method"


class StripeMoney(StripeMethods):
    """The part of a Stripe account that moves money."""

    def collect(self, bill: Bill, *, key: str, now: datetime) -> Collection:
        """Make Stripe's invoice of `bill` and charge it once. The same key makes and charges it once.

        An open one of an earlier attempt is charged again if it asks for the same, else voided.
        """
        mine, others = self._of_invoice(bill, key)
        for other in others:
            self._close(other)
        drafted = mine or self._drafted(bill, key)
        invoice = self._finalized(drafted, bill, key) if drafted["status"] == "draft" else drafted
        if invoice["status"] == "open" and invoice["amount_due"] != bill.total.amount:
            raise ProviderDiffers(
                provider="stripe",
                ref=invoice["id"],
                found=invoice["amount_due"],
                ours=bill.total.amount,
            )
        return self._charged(invoice, bill, key)

    def _of_invoice(
        self, bill: Bill, key: str
    ) -> tuple[dict[str, Any] | None, list[dict[str, Any]]]:
        """Stripe's invoice to go on with, and those of earlier attempts that are to go."""
        named = [
            one
            for one in every(self._client.v1.invoices.list, {"customer": bill.customer_id})
            if one["metadata"].get("invoice_id") == str(bill.invoice_id)
        ]
        made = next((one for one in named if one["metadata"].get("key") == key), None)
        alive = [one for one in named if one["status"] in _ALIVE and one is not made]
        if made is None:
            wanted = str(bill.total.amount)
            made = next((one for one in alive if one["metadata"].get("due") == wanted), None)
        return made, [one for one in alive if one is not made]

    def _close(self, invoice: Mapping[str, Any]) -> None:
        with translated():
            if invoice["status"] == "draft":
                self._client.v1.invoices.delete(invoice["id"])
            else:
                self._client.v1.invoices.void_invoice(invoice["id"])

    def _drafted(self, bill: Bill, key: str) -> dict[str, Any]:
        with translated():
            made = self._client.v1.invoices.create(
                {
                    "customer": bill.customer_id,
                    "currency": bill.currency.lower(),
                    "description": bill.reference,
                    "auto_advance": False,
                    "collection_method": "charge_automatically",
                    # Nothing that waits at the customer gets in.
                    "pending_invoice_items_behavior": "exclude",
                    "metadata": {
                        "invoice_id": str(bill.invoice_id),
                        "tenant_id": str(bill.tenant_id),
                        "due": str(bill.total.amount),
                        "key": key,
                    },
                },
                {"idempotency_key": f"{key}-invoice"},
            )
        return plain(made)

    def _finalized(self, draft: Mapping[str, Any], bill: Bill, key: str) -> dict[str, Any]:
        """The draft with every line of ours, each once, made final."""
        items = every(self._client.v1.invoice_items.list, {"invoice": draft["id"]})
        there = {item["metadata"].get("line") for item in items}
        for place, line in enumerate(bill.lines):
            if str(place) in there:
                continue
            with translated():
                self._client.v1.invoice_items.create(
                    {
                        "customer": bill.customer_id,
                        "invoice": draft["id"],
                        "amount": line.amount.amount,
                        "currency": bill.currency.lower(),
                        "description": line.text,
                        "discountable": False,
                        "period": {
                            "start": int(line.starts_at.timestamp()),
                            "end": int(line.ends_at.timestamp()),
                        },
                        "metadata": {"line": str(place)},
                    },
                    {"idempotency_key": f"{draft['metadata']['key']}-line-{place}"},
                )
        with translated():
            finalized = self._client.v1.invoices.finalize_invoice(
                draft["id"],
                {"auto_advance": False},
                {"idempotency_key": f"{key}-finalize-{draft['id']}"},
            )
        return plain(finalized)

    def _charged(self, invoice: dict[str, Any], bill: Bill, key: str) -> Collection:
        method, reason = self._method_of(bill.customer_id, bill.subscription_id), ""
        if invoice["status"] == "open" and not method:
            return Collection(invoice["id"], Outcome.DECLINED, NO_METHOD)
        if invoice["status"] == "open":
            try:
                with translated():
                    paid = self._client.v1.invoices.pay(
                        invoice["id"],
                        {"off_session": True, "payment_method": method},
                        {"idempotency_key": f"{key}-pay-{method}"},
                    )
                invoice = plain(paid)
            except ProviderRefused as refusal:
                reason = str(refusal.facts["reason"])
                invoice = self._invoice(invoice["id"])
        if invoice["status"] == "paid":
            seen = tuple(self._payments_of(invoice))
            return Collection(invoice["id"], Outcome.PAID, transactions=seen)
        return Collection(invoice["id"], Outcome.DECLINED, reason or invoice["status"])

    def paid_for(self, bill: Bill, *, now: datetime) -> list[SeenTransaction]:
        """What the customer has paid of late: at an attempt whose answer was lost, or at the checkout."""
        return self.transactions(
            customer_id=bill.customer_id,
            subscription_id=bill.subscription_id,
            since=bill.issued_at - LOOK_BACK,
            until=now + timedelta(days=1),
        )

    def withdraw(self, bill: Bill) -> None:
        """Ask for it no more: what is open of it is voided."""
        for one in every(self._client.v1.invoices.list, {"customer": bill.customer_id}):
            is_ours = one["metadata"].get("invoice_id") == str(bill.invoice_id)
            if is_ours and one["status"] in _ALIVE:
                self._close(one)

    def refund(
        self, *, payment_ref: str, amount: Money, refund_id: UUID, key: str
    ) -> SeenTransaction:
        """Give a part of a payment back. Raises ProviderRefused where there is less left."""
        with translated():
            made = self._client.v1.refunds.create(
                {
                    "charge": payment_ref,
                    "amount": amount.amount,
                    "metadata": {"refund_id": str(refund_id)},
                },
                {"idempotency_key": f"{key}-refund"},
            )
        return stripe_objects.refund(plain(made))

    def payment(self, payment_ref: str) -> list[SeenTransaction]:
        """The payment as it is now, and all that became of it; empty where it never succeeded."""
        with translated():
            charge = plain(
                self._client.v1.charges.retrieve(payment_ref, {"expand": ["balance_transaction"]})
            )
        return list(self._seen(charge, self._invoice_paid_by(charge["payment_intent"])))

    def _seen(
        self, charge: Mapping[str, Any], invoice: Mapping[str, Any]
    ) -> Iterator[SeenTransaction]:
        if charge["status"] != "succeeded":
            return
        yield stripe_objects.payment(charge, invoice)
        if charge["amount_refunded"]:
            for one in every(self._client.v1.refunds.list, {"charge": charge["id"]}):
                yield stripe_objects.refund(one)
        if charge["disputed"]:
            for one in every(self._client.v1.disputes.list, {"charge": charge["id"]}):
                yield stripe_objects.dispute(one)

    def _invoice_paid_by(self, intent: str | None) -> Mapping[str, Any]:
        if not intent:
            return {}
        asked = {"payment": {"type": "payment_intent", "payment_intent": intent}, "limit": 1}
        with translated():
            found = plain(self._client.v1.invoice_payments.list(asked))["data"]  # type: ignore[arg-type]
        return self._invoice(found[0]["invoice"]) if found else {}

    def _payments_of(self, invoice: Mapping[str, Any]) -> Iterator[SeenTransaction]:
        for one in every(self._client.v1.invoice_payments.list, {"invoice": invoice["id"]}):
            intent = one["payment"].get("payment_intent")
            if one["status"] != "paid" or not intent:
                continue
            charges = every(self._client.v1.charges.list, {"payment_intent": intent})
            for charge in charges:
                yield from self.payment(charge["id"])

    def _invoice(self, ref: str) -> dict[str, Any]:
        with translated():
            return plain(self._client.v1.invoices.retrieve(ref))

    def transactions(
        self, *, customer_id: str, subscription_id: str, since: datetime, until: datetime
    ) -> list[SeenTransaction]:
        """All payments of a customer since then, with what became of each."""
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        asked = {"customer": customer_id, "created": created}
        charges = list(every(self._client.v1.charges.list, asked)) if customer_id else []
        return [seen for charge in charges for seen in self.payment(charge["id"])]

    def concerned(self, event: VerifiedEvent) -> list[SeenTransaction]:
        """The payments that an event speaks of, as they are now."""
        subject = event.payload["data"]["object"]
        if subject["object"] == "invoice":
            return list(self._payments_of(self._invoice(subject["id"])))
        charge = subject["id"] if subject["object"] == "charge" else subject.get("charge")
        return self.payment(charge) if charge else []

    def declined(self, event: VerifiedEvent) -> bool:
        """Whether Stripe's invoice that an event speaks of is still to be paid."""
        subject = event.payload["data"]["object"]
        if subject["object"] != "invoice":
            return False
        return bool(self._invoice(subject["id"])["status"] == "open")

    def carry(self, *, subscription_id: str, amount: Money, cycle: Money | None = None) -> None:
        """Stripe has no cycle of its own: its invoices are void."""
