"""Everything that the stand-in serves, gathered."""

from tests.standins.stripe import (
    balances,
    cards,
    checkout,
    checkout_pages,
    customers,
    invoice_items,
    invoices,
    payments,
    portal,
    portal_pages,
    previews,
    prices,
    products,
    renewals,
    subscription_items,
    subscriptions,
    usage,
    webhooks,
)
from tests.standins.stripe.account import Account
from tests.standins.stripe.page_parts import Page
from tests.standins.stripe.routes import Route

_MODULES = (
    balances,
    cards,
    checkout,
    customers,
    invoice_items,
    invoices,
    payments,
    portal,
    previews,
    prices,
    products,
    subscription_items,
    subscriptions,
    usage,
    webhooks,
)


def routes() -> list[Route]:
    return [route for module in _MODULES for route in module.routes.known]


def pages() -> list[Page]:
    return [*checkout_pages.PAGES, *portal_pages.PAGES]


def promise(account: Account) -> None:
    """Tell the agenda who does what as time passes."""
    renewals.promise(account)
    checkout.promise(account)
