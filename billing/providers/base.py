"""A payment provider in words of our own: its refusals, and what it is asked and answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any
from urllib.parse import urlsplit
from uuid import UUID

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class ProviderDown(DomainError):
    """The payment provider does not answer, or not now. Nothing was changed here; try again."""

    code = "payment_provider_unavailable"
    status = 503
    title = _("The payment provider does not answer at the moment.")
    headers: Mapping[str, str] = {"Retry-After": "30"}


class ProviderRefused(DomainError):
    """The payment provider understood, and refused: `reason` is its own code."""

    code = "payment_provider_refused"
    status = 502
    title = _("The payment provider refused the request.")


class ProviderDiffers(DomainError):
    """The payment provider reckons another amount than ours: nothing is collected before a person looked."""

    code = "payment_provider_differs"
    status = 502
    title = _("The payment provider reckons another amount.")


class ProviderNotYet(DomainError):
    """The payment provider has something of its own to do first: ask again at `until`."""

    code = "payment_provider_not_yet"
    status = 503
    title = _("The payment provider has something else to do first.")


class ProviderNotConfigured(DomainError):
    """No account at this provider is set up here."""

    code = "payment_provider_not_configured"
    status = 409
    title = _("This payment provider is not available here.")


class SignatureInvalid(DomainError):
    """The webhook is not proven to be the provider's, or it is too old."""

    code = "webhook_signature_invalid"
    status = 400
    title = _("The webhook's signature is not valid.")


class ProviderStatus(StrEnum):
    """A subscription's state, whatever the provider calls it."""

    INCOMPLETE = "incomplete"  # begun, and not paid yet or never
    TRIALING = "trialing"
    ACTIVE = "active"
    PAST_DUE = "past_due"  # the provider is still trying to collect
    UNPAID = "unpaid"  # it has given up trying
    PAUSED = "paused"
    CANCELLED = "cancelled"  # it was paid once, and is over

    @property
    def is_live(self) -> bool:
        """Whether the tenant has, or owes for, what was bought."""
        return self not in {ProviderStatus.INCOMPLETE, ProviderStatus.CANCELLED}


@dataclass(frozen=True, slots=True)
class ProviderSubscription:
    """A subscription as the provider has it now. Moments are aware UTC."""

    provider: str
    id: str
    customer_id: str
    status: ProviderStatus
    price_id: str
    created_at: datetime
    period_starts_at: datetime | None = None
    period_ends_at: datetime | None = None
    trial_ends_at: datetime | None = None
    cancels_at_period_end: bool = False
    tenant_id: UUID | None = None
    # What each cycle takes, and since when: told only where the buyer consents to it (PayPal).
    cycle_minor: int | None = None
    priced_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class VerifiedEvent:
    """A webhook that is proven to be the provider's. `subscription_ref` is what it speaks of, or empty."""

    provider: str
    id: str
    kind: str
    subscription_ref: str
    payload: dict[str, Any] = field(repr=False)


@dataclass(frozen=True, slots=True)
class KnownPrice:
    """A price at the provider. Amounts are integer minor units."""

    lookup_key: str
    product_id: str
    price_id: str
    amount_minor: int


@dataclass(frozen=True, slots=True)
class Checkout:
    """The provider's page on which a person pays."""

    id: str
    url: str


@dataclass(frozen=True, slots=True)
class CheckoutWish:
    """Who wants to buy which price, and where the person goes afterwards."""

    tenant_id: UUID
    customer_id: str
    price_id: str
    success_url: str
    cancel_url: str


def is_loopback(address: str) -> bool:
    """Whether an API address is a stand-in's on this machine."""
    return urlsplit(address).hostname in {"127.0.0.1", "::1", "localhost"}
