"""Stripe beside the money: cards, tax ids, seats, and meters whose price is zero."""

from collections.abc import Iterable
from datetime import datetime
from typing import Any

import stripe

from billing.providers import events as shapes
from billing.providers import stripe_objects
from billing.providers.base import ProviderRefused, ProviderSubscription, VerifiedEvent
from billing.providers.bills import PaymentMethod
from billing.providers.stripe_calls import NOT_FOUND, PROVIDER, every, plain, translated

_DUPLICATE = "duplicate_meter_event"


class StripeMethods:
    """The part of a Stripe account that moves no money."""

    _client: stripe.StripeClient

    def _method_of(self, customer_id: str, subscription_id: str) -> str:
        """What is charged: the customer's own choice, else what the subscription was bought with."""
        with translated():
            customer = plain(self._client.v1.customers.retrieve(customer_id))
        chosen = (customer.get("invoice_settings") or {}).get("default_payment_method")
        if not chosen and subscription_id:
            with translated():
                bought = plain(self._client.v1.subscriptions.retrieve(subscription_id))
            chosen = bought.get("default_payment_method")
        return str(chosen or "")

    def collect_by_us(self, subscription_id: str) -> None:
        """Let the subscription's own invoices be void from now on: ours are what is collected."""
        with translated():
            self._client.v1.subscriptions.update(
                subscription_id, {"pause_collection": {"behavior": "void"}}
            )

    def subscriptions_of(self, customer_id: str) -> list[ProviderSubscription]:
        """All subscriptions of a customer, those that are over too."""
        found = every(
            self._client.v1.subscriptions.list, {"customer": customer_id, "status": "all"}
        )
        return [stripe_objects.subscription(one) for one in found]

    def payment_methods(self, *, customer_id: str, subscription_id: str) -> list[PaymentMethod]:
        """The customer's cards; the default one is charged."""
        chosen = self._method_of(customer_id, subscription_id)
        cards = every(
            self._client.v1.payment_methods.list, {"customer": customer_id, "type": "card"}
        )
        return [_card(one, is_default=one["id"] == chosen) for one in cards]

    def choose_method(self, *, customer_id: str, method_id: str) -> None:
        """Charge this card from now on. Raises ProviderRefused unless it is the customer's."""
        with translated():
            self._client.v1.customers.update(
                customer_id, {"invoice_settings": {"default_payment_method": method_id}}
            )

    def remove_method(self, *, customer_id: str, method_id: str) -> None:
        """Let go of a card of this customer. Harmless twice; raises ProviderRefused for another's."""
        with translated():
            found = plain(self._client.v1.payment_methods.retrieve(method_id))
            if found["customer"] == customer_id:
                self._client.v1.payment_methods.detach(method_id)
            elif found["customer"] is not None:
                raise ProviderRefused(provider=PROVIDER, reason=NOT_FOUND)

    def set_tax_id(self, *, customer_id: str, kind: str, value: str) -> None:
        """The customer's one tax id; none where `value` is empty. Harmless twice."""
        held = list(every(_tax_ids(self._client, customer_id), {}))
        with translated():
            for one in held:
                if (one["type"], one["value"]) != (kind, value):
                    self._client.v1.customers.tax_ids.delete(customer_id, one["id"])
            if value and not any((one["type"], one["value"]) == (kind, value) for one in held):
                self._client.v1.customers.tax_ids.create(
                    customer_id,
                    {"type": kind, "value": value},
                )

    def mirror_usage(
        self, *, customer_id: str, meter: str, units: int, at: datetime, key: str
    ) -> None:
        """Tell Stripe what was used, for its reports: the meter has no price there. Once for each key."""
        name = f"plaza_{meter}"
        self._ensure_meter(name)
        payload = {"stripe_customer_id": customer_id, "value": str(units)}
        try:
            with translated():
                self._client.v1.billing.meter_events.create(
                    {
                        "event_name": name,
                        "payload": payload,
                        "identifier": key,
                        "timestamp": int(at.timestamp()),
                    }
                )
        except ProviderRefused as refusal:
            if refusal.facts["reason"] != _DUPLICATE:
                raise

    def _ensure_meter(self, name: str) -> None:
        known = every(self._client.v1.billing.meters.list, {"status": "active"})
        if any(meter["event_name"] == name for meter in known):
            return
        with translated():
            self._client.v1.billing.meters.create(
                {
                    "display_name": name,
                    "event_name": name,
                    "default_aggregation": {"formula": "sum"},
                },
                {"idempotency_key": f"meter-{name}"},
            )

    def events(
        self, *, kinds: Iterable[str], since: datetime, until: datetime
    ) -> list[VerifiedEvent]:
        """What Stripe has told since then, of these kinds, oldest first; it keeps them for 30 days."""
        created = {"gte": int(since.timestamp()), "lte": int(until.timestamp())}
        asked = {"created": created}
        wanted = frozenset(kinds)
        found: list[dict[str, Any]] = list(every(self._client.v1.events.list, asked))
        chosen = [shapes.mended(one) for one in reversed(found) if one["type"] in wanted]
        return [stripe_objects.event(one) for one in chosen]


def _card(found: dict[str, Any], *, is_default: bool) -> PaymentMethod:
    card = found["card"]
    return PaymentMethod(
        id=found["id"],
        provider=PROVIDER,
        kind=found["type"],
        label=f"{card['brand']} {card['last4']}",
        expires_on=f"{card['exp_year']}-{card['exp_month']:02d}",
        is_default=is_default,
    )


def _tax_ids(client: stripe.StripeClient, customer_id: str) -> Any:
    return lambda asked: client.v1.customers.tax_ids.list(customer_id, asked)
