"""Money's own tables, in public: subscriptions, prices at the providers, and the inbox of webhooks."""

from billing.models.coupons import Redemption
from billing.models.dunning import Dunning
from billing.models.inbox import WebhookEvent, WebhookKey
from billing.models.prices import Provider, ProviderPrice
from billing.models.scalings import Scaling
from billing.models.seats import Invitation
from billing.models.spans import BilledUsage, SubscriptionChange, SubscriptionSpan
from billing.models.subscriptions import Subscription

__all__ = [
    "BilledUsage",
    "Dunning",
    "Invitation",
    "Provider",
    "ProviderPrice",
    "Redemption",
    "Scaling",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionSpan",
    "WebhookEvent",
    "WebhookKey",
]
