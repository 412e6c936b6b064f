"""Money's own tables, in public: subscriptions, prices at the providers, and the inbox of webhooks."""

from billing.models.inbox import WebhookEvent
from billing.models.prices import Provider, ProviderPrice
from billing.models.scalings import Scaling
from billing.models.subscriptions import Subscription

__all__ = [
    "Provider",
    "ProviderPrice",
    "Scaling",
    "Subscription",
    "WebhookEvent",
]
