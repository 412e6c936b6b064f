"""What billing asks of a payment provider; stripe.py and paypal.py answer."""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol
from uuid import UUID

from billing.catalogue import PriceSpec
from billing.money import Money
from billing.providers.base import (
    Checkout,
    CheckoutWish,
    KnownPrice,
    ProviderSubscription,
    VerifiedEvent,
)
from billing.providers.bills import Bill, Collection, PaymentMethod, SeenTransaction


class MoneyGateway(Protocol):
    """The part of an account that moves money. A call with a `key` is done once for it."""

    def collect(self, bill: Bill, *, key: str, now: datetime) -> Collection:
        """Ask for exactly `bill.total`, with its lines. May raise ProviderDiffers."""
        ...

    def paid_for(self, bill: Bill, *, now: datetime) -> list[SeenTransaction]:
        """What was paid for this invoice at any earlier attempt."""
        ...

    def withdraw(self, bill: Bill) -> None:
        """Ask for it no more. Harmless twice."""
        ...

    def refund(
        self, *, payment_ref: str, amount: Money, refund_id: UUID, key: str
    ) -> SeenTransaction: ...

    def transactions(
        self, *, customer_id: str, subscription_id: str, since: datetime, until: datetime
    ) -> list[SeenTransaction]: ...

    def concerned(self, event: VerifiedEvent) -> list[SeenTransaction]:
        """The payments that an event speaks of, as they are now."""
        ...

    def declined(self, event: VerifiedEvent) -> bool:
        """Whether what an event says was not paid is still not paid."""
        ...

    def carry(self, *, subscription_id: str, amount: Money, cycle: Money | None = None) -> None:
        """Let the provider's own next cycle take `amount` beside `cycle` (None: the plan's own price).

        Nothing where it has no cycle of its own.
        """
        ...


class Gateway(MoneyGateway, Protocol):
    """One account at one provider. Every call may raise ProviderDown or ProviderRefused."""

    name: str
    currencies: frozenset[str]
    changes_currency: bool

    def collect_by_us(self, subscription_id: str) -> None:
        """Once paid for, what is collected for it are our invoices. Harmless twice."""
        ...

    def subscriptions_of(self, customer_id: str) -> list[ProviderSubscription]: ...

    def payment_methods(self, *, customer_id: str, subscription_id: str) -> list[PaymentMethod]: ...

    def choose_method(self, *, customer_id: str, method_id: str) -> None: ...

    def remove_method(self, *, customer_id: str, method_id: str) -> None: ...

    def set_tax_id(self, *, customer_id: str, kind: str, value: str) -> None: ...

    def mirror_usage(
        self, *, customer_id: str, meter: str, units: int, at: datetime, key: str
    ) -> None:
        """Tell what was used, at a price of zero; nothing where the provider has no meters."""
        ...

    def events(
        self, *, kinds: Iterable[str], since: datetime, until: datetime
    ) -> list[VerifiedEvent]:
        """What the provider has told since then, of these kinds, oldest first."""
        ...

    def known_prices(self, specs: Sequence[PriceSpec]) -> dict[str, KnownPrice]:
        """What the provider has of `specs`, by lookup key."""
        ...

    def create_price(self, spec: PriceSpec, *, plan_name: str) -> KnownPrice:
        """Make the price (and its product, if need be). Older subscribers keep what they have."""
        ...

    def create_customer(self, *, tenant_id: UUID, name: str, email: str) -> str:
        """The new customer's id; empty where the provider knows none before the first payment."""
        ...

    def create_checkout(self, wish: CheckoutWish) -> Checkout: ...

    def portal_url(self, *, customer_id: str, return_url: str) -> str:
        """The provider's page for cards and invoices."""
        ...

    def subscription(self, subscription_id: str) -> ProviderSubscription:
        """The subscription as it is now."""
        ...

    def change_price(
        self, *, subscription_id: str, price_id: str, cycle: Money | None = None
    ) -> str:
        """Ask for another price; the address at which the buyer must consent, or empty.

        `cycle` is what each cycle is to take where that is more than the price: seats, add-ons.
        """
        ...

    def replace(self, *, subscription_id: str, price_id: str, renews_at: datetime, key: str) -> str:
        """End it now, and begin another that takes nothing before `renews_at`; its id. Once for each key."""
        ...

    def cancel_at_period_end(self, *, subscription_id: str) -> None: ...

    def verified_event(
        self, *, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> VerifiedEvent:
        """The event in `body`. Raises SignatureInvalid unless it is proven and fresh."""
        ...
