"""PayPal beside the money: the buyer's account, seats, and its list of past events."""

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any
from urllib.parse import quote

from billing.providers import events as shapes
from billing.providers import paypal_objects
from billing.providers.base import ProviderRefused, ProviderSubscription, VerifiedEvent
from billing.providers.bills import PaymentMethod
from billing.providers.paypal_api import Account

_PAGE = 300


class PayPalMethods:
    """The part of a PayPal account that moves no money."""

    _account: Account

    def collect_by_us(self, subscription_id: str) -> None:
        """Nothing to do: what PayPal's own cycle takes is a payment for our invoice (paypal_money)."""

    def subscriptions_of(self, customer_id: str) -> list[ProviderSubscription]:
        """PayPal lists none by buyer; those that are known are read one by one."""
        return []

    def payment_methods(self, *, customer_id: str, subscription_id: str) -> list[PaymentMethod]:
        """The buyer's PayPal account: what it takes money from is between the two."""
        if not subscription_id:
            return []
        found = self._account.get(f"v1/billing/subscriptions/{subscription_id}")
        buyer = found.get("subscriber") or {}
        if not buyer.get("payer_id"):
            return []
        label = str(buyer.get("email_address") or buyer["payer_id"])
        payer = str(buyer["payer_id"])
        return [PaymentMethod(payer, paypal_objects.PROVIDER, "paypal", label, "", is_default=True)]

    def choose_method(self, *, customer_id: str, method_id: str) -> None:
        """The buyer chooses at PayPal. Raises ProviderRefused for any but the one there is."""
        if method_id != customer_id:
            raise ProviderRefused(provider=paypal_objects.PROVIDER, reason="RESOURCE_NOT_FOUND")

    def remove_method(self, *, customer_id: str, method_id: str) -> None:
        """A PayPal account goes with its subscription. Raises ProviderRefused."""
        raise ProviderRefused(provider=paypal_objects.PROVIDER, reason="SUBSCRIPTION_NEEDS_BUYER")

    def set_tax_id(self, *, customer_id: str, kind: str, value: str) -> None:
        """PayPal keeps none: it stands on our invoice."""

    def mirror_usage(
        self, *, customer_id: str, meter: str, units: int, at: datetime, key: str
    ) -> None:
        """PayPal has no meters."""

    def events(
        self, *, kinds: Iterable[str], since: datetime, until: datetime
    ) -> list[VerifiedEvent]:
        """What PayPal has told since then, of these kinds, oldest first; it keeps them for 30 days."""
        found: dict[str, Any] = {}
        while True:
            # Newest first, so many at a time: the next page ends where this one began.
            window = f"start_time={_told(since)}&end_time={_told(until)}"
            asked = f"v1/notifications/webhooks-events?{window}&page_size={_PAGE}"
            page = self._account.get(asked).get("events", [])
            is_new = any(one["id"] not in found for one in page)
            found |= {one["id"]: one for one in page}
            if len(page) < _PAGE or not is_new:
                break
            until = min(datetime.fromisoformat(one["create_time"]) for one in page)
        wanted = frozenset(kinds)
        chosen = [one for one in found.values() if one["event_type"] in wanted]
        chosen.sort(key=lambda one: str(one["create_time"]))
        return [paypal_objects.event(shapes.mended(one)) for one in chosen]


def _told(moment: datetime) -> str:
    return quote(moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"))
