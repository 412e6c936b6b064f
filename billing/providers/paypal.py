"""PayPal: products, plans and subscriptions of its current API, through paypalrestsdk."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from itertools import count
from typing import Any
from uuid import UUID

from billing.catalogue import PriceSpec
from billing.providers import events
from billing.providers.base import (
    Checkout,
    CheckoutWish,
    KnownPrice,
    ProviderRefused,
    ProviderStatus,
    ProviderSubscription,
    SignatureInvalid,
    VerifiedEvent,
)
from billing.providers.paypal_api import Account, BillingPlan, BillingSubscription, Product
from billing.providers.paypal_signatures import CertificateUnproven, Transmission, check
from config.logs import logger

log = logger(__name__)
# One product for all plans: PayPal revises a subscription only within its product.
PRODUCT_ID = "PLAZA-SUBSCRIPTIONS"
_PAGE = 20
_VERIFY = "v1/notifications/verify-webhook-signature"
_FAILURES_BEFORE_SUSPENSION = 3
_STATUSES = {
    "APPROVAL_PENDING": ProviderStatus.INCOMPLETE,
    "APPROVED": ProviderStatus.INCOMPLETE,
    "ACTIVE": ProviderStatus.ACTIVE,
    "SUSPENDED": ProviderStatus.PAUSED,
    "CANCELLED": ProviderStatus.CANCELLED,
    "EXPIRED": ProviderStatus.CANCELLED,
}


class PayPal:
    """One PayPal account. `api_base` names a stand-in or the sandbox; empty is PayPal itself."""

    name = "paypal"
    # PayPal does not take CRC.
    currencies = frozenset({"USD", "EUR", "MXN"})

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
                known.setdefault(plan["name"], _known_price(plan))
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
        amount = {"value": _major(spec.amount_minor), "currency_code": spec.currency}
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
        return Checkout(id=begun["id"], url=_link(begun.to_dict(), "approve"))

    def portal_url(self, *, customer_id: str, return_url: str) -> str:
        """PayPal's own page of automatic payments; it knows no way back."""
        return "https://www.paypal.com/myaccount/autopay/"

    def subscription(self, subscription_id: str) -> ProviderSubscription:
        found = BillingSubscription.find(subscription_id, api=self._account)
        return _subscription(found.to_dict())

    def change_price(self, *, subscription_id: str, price_id: str) -> str:
        """PayPal changes nothing before the buyer consents at the returned address."""
        subscription = BillingSubscription({"id": subscription_id}, api=self._account)
        revised = subscription.post("revise", {"plan_id": price_id})
        return _link(revised.to_dict(), "approve")

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
            return _event(events.read(body))
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


def _event(payload: dict[str, Any]) -> VerifiedEvent:
    """Raises KeyError, TypeError or ValueError for what is no event."""
    kind = events.kind(payload["event_type"])
    return VerifiedEvent(
        provider=PayPal.name,
        id=events.name(payload["id"]),
        kind=kind,
        subscription_ref=_subscription_of(kind, payload["resource"]),
        payload=payload,
    )


def _major(amount_minor: int) -> str:
    """All three currencies have two decimals."""
    return f"{amount_minor // 100}.{amount_minor % 100:02d}"


def _known_price(plan: Mapping[str, Any]) -> KnownPrice:
    cycle = next(c for c in plan["billing_cycles"] if c["tenure_type"] == "REGULAR")
    value = Decimal(cycle["pricing_scheme"]["fixed_price"]["value"])
    return KnownPrice(plan["name"], plan["product_id"], plan["id"], int(value * 100))


def _link(found: Mapping[str, Any], rel: str) -> str:
    return next(str(link["href"]) for link in found.get("links", []) if link["rel"] == rel)


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None


def _subscription(found: Mapping[str, Any]) -> ProviderSubscription:
    billing = found.get("billing_info") or {}
    starts = _moment((billing.get("last_payment") or {}).get("time") or found.get("start_time"))
    ends = _moment(billing.get("next_billing_time"))
    has_period = starts is not None and ends is not None and ends > starts
    return ProviderSubscription(
        provider=PayPal.name,
        id=found["id"],
        customer_id=str((found.get("subscriber") or {}).get("payer_id") or ""),
        status=_status(found["status"], int(billing.get("failed_payments_count") or 0)),
        price_id=found["plan_id"],
        created_at=datetime.fromisoformat(found["create_time"]),
        period_starts_at=starts if has_period else None,
        period_ends_at=ends if has_period else None,
        tenant_id=UUID(found["custom_id"]) if found.get("custom_id") else None,
    )


def _status(named: str, failed_payments: int) -> ProviderStatus:
    """PayPal has no word for "past due": it is active with payments that failed."""
    status = _STATUSES[named]
    return ProviderStatus.PAST_DUE if status == "active" and failed_payments else status


def _subscription_of(kind: str, resource: Any) -> str:
    field = "id" if kind.startswith("BILLING.SUBSCRIPTION.") else "billing_agreement_id"
    named = resource.get(field) if isinstance(resource, Mapping) else None
    return events.name(named) if named else ""
