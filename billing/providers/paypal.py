"""PayPal: products, plans and subscriptions of its current API, through paypalrestsdk."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from itertools import count
from typing import Any
from uuid import UUID

from billing.catalogue import PriceSpec
from billing.money import Money, major
from billing.providers import events, paypal_objects
from billing.providers.base import (
    Checkout,
    CheckoutWish,
    KnownPrice,
    ProviderRefused,
    ProviderSubscription,
    SignatureInvalid,
    VerifiedEvent,
)
from billing.providers.paypal_api import Account, BillingPlan, BillingSubscription, Product
from billing.providers.paypal_methods import PayPalMethods
from billing.providers.paypal_money import PayPalMoney
from billing.providers.paypal_signatures import CertificateUnproven, Transmission, check
from config.logs import logger

log = logger(__name__)
# One product for all plans: PayPal revises a subscription only within its product.
PRODUCT_ID = "PLAZA-SUBSCRIPTIONS"
_PAGE = 20
_VERIFY = "v1/notifications/verify-webhook-signature"
_FAILURES_BEFORE_SUSPENSION = 3


class PayPal(PayPalMoney, PayPalMethods):
    """One PayPal account. `api_base` names a stand-in or the sandbox; empty is PayPal itself."""

    name = paypal_objects.PROVIDER
    # PayPal does not take CRC.
    currencies = frozenset({"USD", "EUR", "MXN"})
    # It revises a subscription within its currency alone, and only its buyer can begin another.
    changes_currency = False

    def __init__(
        self, *, client_id: str, client_secret: str, api_base: str, webhook_id: str
    ) -> None:
        self._webhook_id = webhook_id
        self._account = Account(client_id=client_id, client_secret=client_secret, endpoint=api_base)

    def known_prices(self, specs: Sequence[PriceSpec]) -> dict[str, KnownPrice]:
        wanted = {spec.lookup_key for spec in specs}
        known: dict[str, KnownPrice] = {}
        # Newest first: a superseded plan of the same name does not replace its successor.
        for plan in sorted(self._plans(), key=lambda one: str(one["create_time"]), reverse=True):
            if plan["name"] in wanted and plan["status"] == "ACTIVE":
                known.setdefault(plan["name"], paypal_objects.known_price(plan))
        return known

    def _plans(self) -> Iterator[dict[str, Any]]:
        for page in count(1):
            found = self._account.get(
                f"v1/billing/plans?product_id={PRODUCT_ID}&page_size={_PAGE}&page={page}",
                headers={"Prefer": "return=representation"},
            ).get("plans", [])
            yield from found
            if len(found) < _PAGE:
                return

    def create_price(self, spec: PriceSpec, *, plan_name: str) -> KnownPrice:
        self._ensure_product()
        amount = {
            "value": major(Money(spec.amount_minor, spec.currency)),
            "currency_code": spec.currency,
        }
        plan = BillingPlan(
            {
                "product_id": PRODUCT_ID,
                "name": spec.lookup_key,
                "description": f"Plaza {plan_name}",
                "billing_cycles": [
                    {
                        "frequency": {"interval_unit": spec.interval.upper(), "interval_count": 1},
                        "tenure_type": "REGULAR",
                        "sequence": 1,
                        "total_cycles": 0,
                        "pricing_scheme": {"fixed_price": amount},
                    }
                ],
                "payment_preferences": {
                    "auto_bill_outstanding": True,
                    "payment_failure_threshold": _FAILURES_BEFORE_SUSPENSION,
                },
            },
            api=self._account,
        )
        plan.create()
        return KnownPrice(spec.lookup_key, PRODUCT_ID, plan["id"], spec.amount_minor)

    def _ensure_product(self) -> None:
        try:
            Product.find(PRODUCT_ID, api=self._account)
        except ProviderRefused as refusal:
            if refusal.facts["reason"] != "RESOURCE_NOT_FOUND":
                raise
            facts = {"id": PRODUCT_ID, "name": "Plaza", "type": "SERVICE"}
            Product(facts, api=self._account).create()

    def create_customer(self, *, tenant_id: UUID, name: str, email: str) -> str:
        """PayPal knows no customer before one approves a subscription."""
        return ""

    def create_checkout(self, wish: CheckoutWish) -> Checkout:
        begun = BillingSubscription(
            {
                "plan_id": wish.price_id,
                "custom_id": str(wish.tenant_id),
                "application_context": {
                    "brand_name": "Plaza",
                    "shipping_preference": "NO_SHIPPING",
                    "user_action": "SUBSCRIBE_NOW",
                    "return_url": wish.success_url,
                    "cancel_url": wish.cancel_url,
                },
            },
            api=self._account,
        )
        begun.create()
        return Checkout(id=begun["id"], url=paypal_objects.link(begun.to_dict(), "approve"))

    def portal_url(self, *, customer_id: str, return_url: str) -> str:
        """PayPal's own page of automatic payments; it knows no way back."""
        return "https://www.paypal.com/myaccount/autopay/"

    def subscription(self, subscription_id: str) -> ProviderSubscription:
        return paypal_objects.subscription(self._subscription(subscription_id, with_plan=True))

    def change_price(
        self, *, subscription_id: str, price_id: str, cycle: Money | None = None
    ) -> str:
        """PayPal changes nothing before the buyer consents at the returned address."""
        subscription = BillingSubscription({"id": subscription_id}, api=self._account)
        asked: dict[str, Any] = {"plan_id": price_id}
        if cycle is not None:
            amount = {"value": major(cycle), "currency_code": cycle.currency}
            regular = {"sequence": 1, "pricing_scheme": {"fixed_price": amount}}
            asked["plan"] = {"billing_cycles": [regular]}
        revised = subscription.post("revise", asked)
        return paypal_objects.link(revised.to_dict(), "approve")

    def replace(self, *, subscription_id: str, price_id: str, renews_at: datetime, key: str) -> str:
        """Never asked for (`changes_currency`): nobody but the buyer begins a subscription here."""
        raise ProviderRefused(provider=self.name, reason="CURRENCY_MISMATCH")

    def cancel_at_period_end(self, *, subscription_id: str) -> None:
        """PayPal knows no end of period: it cancels at once."""
        subscription = BillingSubscription({"id": subscription_id}, api=self._account)
        subscription.post("cancel", {"reason": "Cancelled in Plaza"})

    def verified_event(
        self, *, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> VerifiedEvent:
        transmission = Transmission.of(headers)
        try:
            check(
                transmission,
                body=body,
                webhook_id=self._webhook_id,
                api_base=self._account.endpoint,
                now=now,
            )
        except CertificateUnproven as reason:
            log.info("webhook.asked_provider", extra={"provider": self.name, "why": str(reason)})
            self._ask_provider(transmission, body)
        try:
            return paypal_objects.event(events.read(body))
        except (KeyError, TypeError, ValueError):
            raise SignatureInvalid() from None

    def _ask_provider(self, transmission: Transmission, body: bytes) -> None:
        """The second way: PayPal says itself whether the signature is its own."""
        asked = transmission.as_question() | {
            "webhook_id": self._webhook_id,
            "webhook_event": _parsed(body),
        }
        try:
            answer = self._account.post(_VERIFY, asked)
        except ProviderRefused:
            raise SignatureInvalid() from None
        if answer.get("verification_status") != "SUCCESS":
            raise SignatureInvalid()


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        return events.read(body)
    except ValueError:
        raise SignatureInvalid() from None
