"""Money's own tables, in public: subscriptions, prices at the providers, the inbox of webhooks, the books."""

from billing.models.catalogues import CatalogueVersion
from billing.models.commands import ProviderCommand
from billing.models.coupons import Redemption
from billing.models.credits import CreditMovement
from billing.models.dunning import Dunning
from billing.models.inbox import WebhookEvent, WebhookKey
from billing.models.invoices import CreditNote, Invoice, InvoiceLine, InvoiceTax, NumberSequence
from billing.models.journal import Account, JournalEntry, Posting
from billing.models.payments import Collector, Payment, Refund
from billing.models.prices import Provider, ProviderPrice
from billing.models.scalings import Scaling
from billing.models.seats import Invitation
from billing.models.spans import BilledUsage, SubscriptionChange, SubscriptionSpan
from billing.models.stamps import FiscalStamp
from billing.models.subscriptions import Subscription
from billing.models.tax_profiles import TaxProfile
from billing.models.transactions import ProviderDifference, ProviderTransaction

__all__ = [
    "Account",
    "BilledUsage",
    "CatalogueVersion",
    "Collector",
    "CreditMovement",
    "CreditNote",
    "Dunning",
    "FiscalStamp",
    "Invitation",
    "Invoice",
    "InvoiceLine",
    "InvoiceTax",
    "JournalEntry",
    "NumberSequence",
    "Payment",
    "Posting",
    "Provider",
    "ProviderCommand",
    "ProviderDifference",
    "ProviderPrice",
    "ProviderTransaction",
    "Redemption",
    "Refund",
    "Scaling",
    "Subscription",
    "SubscriptionChange",
    "SubscriptionSpan",
    "TaxProfile",
    "WebhookEvent",
    "WebhookKey",
]
