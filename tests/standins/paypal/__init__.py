"""A stand-in for PayPal: products, plans, subscriptions, refunds, signed webhooks."""

from tests.standins.paypal.app import PayPalStandin

__all__ = ["PayPalStandin"]
