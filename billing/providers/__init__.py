"""The accounts that this installation has, made from the settings once for each set of values."""

from functools import lru_cache

from django.conf import settings

from billing.providers.base import ProviderNotConfigured
from billing.providers.gateways import Gateway
from billing.providers.paypal import PayPal
from billing.providers.stripe import Stripe

STRIPE, PAYPAL = "stripe", "paypal"
NAMES = (STRIPE, PAYPAL)


def gateway(provider: str) -> Gateway:
    """The account at `provider`. Raises ProviderNotConfigured."""
    if provider == "stripe" and settings.STRIPE_API_KEY:
        return _stripe(
            settings.STRIPE_API_KEY, settings.STRIPE_API_BASE, settings.STRIPE_WEBHOOK_SECRET
        )
    if provider == "paypal" and settings.PAYPAL_CLIENT_ID:
        return _paypal(
            settings.PAYPAL_CLIENT_ID,
            settings.PAYPAL_CLIENT_SECRET,
            settings.PAYPAL_API_BASE,
            settings.PAYPAL_WEBHOOK_ID,
        )
    raise ProviderNotConfigured(provider=provider)


def configured() -> list[Gateway]:
    """Every account that this installation has."""
    keys = {"stripe": settings.STRIPE_API_KEY, "paypal": settings.PAYPAL_CLIENT_ID}
    return [gateway(name) for name in NAMES if keys[name]]


def forget() -> None:
    """Let the next call make its accounts anew: a process that was forked must not speak on its parent's connections."""
    _stripe.cache_clear()
    _paypal.cache_clear()


@lru_cache(maxsize=8)
def _stripe(api_key: str, api_base: str, webhook_secret: str) -> Stripe:
    return Stripe(api_key=api_key, api_base=api_base, webhook_secret=webhook_secret)


@lru_cache(maxsize=8)
def _paypal(client_id: str, client_secret: str, api_base: str, webhook_id: str) -> PayPal:
    return PayPal(
        client_id=client_id,
        client_secret=client_secret,
        api_base=api_base,
        webhook_id=webhook_id,
    )
