"""Stripe: one client for each account, with a time-out, retries and no secret in the logs."""

import hashlib
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

import requests
import stripe

from billing.catalogue import CURRENCIES, PriceSpec
from billing.money import Money
from billing.providers import events, stripe_objects
from billing.providers.base import (
    Checkout,
    CheckoutWish,
    KnownPrice,
    ProviderSubscription,
    SignatureInvalid,
    VerifiedEvent,
    is_loopback,
)
from billing.providers.stripe_calls import every, plain, translated
from billing.providers.stripe_money import StripeMoney
from config.logs import logger

log = logger(__name__)
TIMEOUT_SECONDS = 10
RETRIES = 2
# Stripe's own tolerance: an older signature may be a replay.
TOLERANCE_SECONDS = 300
_LOOKUP_KEYS_PER_CALL = 10
_ENDED = ("canceled", "incomplete_expired")


class Stripe(StripeMoney):
    """One Stripe account. `api_base` names a stand-in; empty is Stripe itself."""

    name = stripe_objects.PROVIDER
    currencies = frozenset(CURRENCIES)
    changes_currency = True

    def __init__(self, *, api_key: str, api_base: str, webhook_secret: str) -> None:
        self._webhook_secret = webhook_secret
        session = requests.Session()
        # Proxies of the environment have no business with a loopback address.
        session.trust_env = not is_loopback(api_base)
        self._client = stripe.StripeClient(
            api_key,
            base_addresses={"api": api_base.rstrip("/")} if api_base else None,
            max_network_retries=RETRIES,
            http_client=stripe.RequestsClient(timeout=TIMEOUT_SECONDS, session=session),
        )

    def known_prices(self, specs: Sequence[PriceSpec]) -> dict[str, KnownPrice]:
        keys = [spec.lookup_key for spec in specs]
        known: dict[str, KnownPrice] = {}
        for first in range(0, len(keys), _LOOKUP_KEYS_PER_CALL):
            asked = keys[first : first + _LOOKUP_KEYS_PER_CALL]
            with translated():
                found = self._client.v1.prices.list(
                    {"lookup_keys": asked, "active": True, "limit": 100}
                )
            for price in plain(found)["data"]:
                known[price["lookup_key"]] = stripe_objects.known_price(price)
        return known

    def create_price(self, spec: PriceSpec, *, plan_name: str) -> KnownPrice:
        with translated():
            price = self._client.v1.prices.create(
                {
                    "product": self._product(spec.plan, plan_name),
                    "currency": spec.currency.lower(),
                    "unit_amount": spec.amount_minor,
                    "recurring": {"interval": "year" if spec.interval == "year" else "month"},
                    "lookup_key": spec.lookup_key,
                    # The name moves to the new price; subscribers of the old one keep it.
                    "transfer_lookup_key": True,
                    "metadata": {"plan": spec.plan},
                }
            )
        return stripe_objects.known_price(plain(price))

    def _product(self, plan: str, name: str) -> str:
        product_id = f"plaza_{plan}"
        try:
            self._client.v1.products.retrieve(product_id)
        except stripe.InvalidRequestError as error:
            if error.http_status != 404:
                raise
            self._client.v1.products.create(
                {"id": product_id, "name": f"Plaza {name}", "metadata": {"plan": plan}}
            )
        return product_id

    def create_customer(self, *, tenant_id: UUID, name: str, email: str) -> str:
        # A checkout that breaks off after this call finds the same customer when it is tried again.
        wish = hashlib.sha256(f"{name}\n{email}".encode()).hexdigest()[:16]
        with translated():
            customer = self._client.v1.customers.create(
                {"name": name, "email": email, "metadata": {"tenant_id": str(tenant_id)}},
                {"idempotency_key": f"customer-{tenant_id}-{wish}"},
            )
        return str(customer.id)

    def create_checkout(self, wish: CheckoutWish) -> Checkout:
        tenant = {"tenant_id": str(wish.tenant_id)}
        with translated():
            session = self._client.v1.checkout.sessions.create(
                {
                    "mode": "subscription",
                    "customer": wish.customer_id,
                    "client_reference_id": str(wish.tenant_id),
                    "line_items": [{"price": wish.price_id, "quantity": 1}],
                    "success_url": wish.success_url,
                    "cancel_url": wish.cancel_url,
                    "metadata": tenant,
                    "subscription_data": {"metadata": tenant},
                }
            )
        return Checkout(id=session.id, url=str(session.url))

    def portal_url(self, *, customer_id: str, return_url: str) -> str:
        with translated():
            session = self._client.v1.billing_portal.sessions.create(
                {"customer": customer_id, "return_url": return_url}
            )
        return str(session.url)

    def subscription(self, subscription_id: str) -> ProviderSubscription:
        with translated():
            found = self._client.v1.subscriptions.retrieve(subscription_id)
        return stripe_objects.subscription(plain(found))

    def change_price(
        self, *, subscription_id: str, price_id: str, cycle: Money | None = None
    ) -> str:
        """At once: nobody needs to consent, and what stands beside the price is ours to collect."""
        with translated():
            found = self._client.v1.subscriptions.retrieve(subscription_id)
            item_id = plain(found)["items"]["data"][0]["id"]
            self._client.v1.subscriptions.update(
                subscription_id,
                {
                    "items": [{"id": item_id, "price": price_id}],
                    # Plaza rates and issues: the provider adds no lines of its own.
                    "proration_behavior": "none",
                    "cancel_at_period_end": False,
                },
            )
        return ""

    def replace(self, *, subscription_id: str, price_id: str, renews_at: datetime, key: str) -> str:
        """A subscription keeps its currency, and a customer's live ones share it: so the old one ends first.

        Source: Stripe's support page "Updating the subscription currency".
        """
        with translated():
            old = plain(self._client.v1.subscriptions.retrieve(subscription_id))
            if old["status"] not in _ENDED:
                self._client.v1.subscriptions.cancel(
                    subscription_id, {"prorate": False, "invoice_now": False}
                )
        return self._successor_of(old) or self._succeed(old, price_id, renews_at, key)

    def _successor_of(self, old: Mapping[str, Any]) -> str:
        asked = {"customer": old["customer"], "status": "all"}
        every_one = every(self._client.v1.subscriptions.list, asked)
        named = (one["id"] for one in every_one if one["metadata"].get("replaces") == old["id"])
        return next(named, "")

    def _succeed(self, old: Mapping[str, Any], price_id: str, renews_at: datetime, key: str) -> str:
        """What was paid with goes on paying; the time until `renews_at` is on our own invoice."""
        wish: dict[str, Any] = {
            "customer": old["customer"],
            "items": [{"price": price_id}],
            "billing_cycle_anchor": int(renews_at.timestamp()),
            "proration_behavior": "none",
            "off_session": True,
            "metadata": {**old["metadata"], "replaces": old["id"]},
        }
        if old["default_payment_method"]:
            wish["default_payment_method"] = old["default_payment_method"]
        with translated():
            made = self._client.v1.subscriptions.create(
                wish,  # type: ignore[arg-type]
                {"idempotency_key": f"{key}-subscribe"},
            )
        return str(made.id)

    def cancel_at_period_end(self, *, subscription_id: str) -> None:
        with translated():
            self._client.v1.subscriptions.update(subscription_id, {"cancel_at_period_end": True})

    def verified_event(
        self, *, body: bytes, headers: Mapping[str, str], now: datetime
    ) -> VerifiedEvent:
        signature = headers.get("Stripe-Signature", "")
        try:
            # The SDK compares with the wall clock itself, hence no `now`; and only for age.
            stripe.WebhookSignature.verify_header(
                body, signature, self._webhook_secret, TOLERANCE_SECONDS
            )
            _check_not_ahead(signature, now)
            return stripe_objects.event(events.read(body))
        except (stripe.SignatureVerificationError, ValueError, KeyError, TypeError) as error:
            # `from None`: the SDK's error carries the whole body.
            log.info("webhook.refused", extra={"provider": self.name, "why": type(error).__name__})
            raise SignatureInvalid() from None


def _check_not_ahead(signature: str, now: datetime) -> None:
    """A signature from the future would stay fresh till then, and longer. Raises ValueError."""
    signed_at = next(part[2:] for part in signature.split(",") if part.startswith("t="))
    if int(signed_at) > now.timestamp() + TOLERANCE_SECONDS:
        raise ValueError("signed in the future")
