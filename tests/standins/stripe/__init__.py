"""A stand-in for Stripe's API 2026-10-28.endive: catalogue, billing, checkout, portal, meters."""

from tests.standins.stripe.app import StripeStandin

__all__ = ["StripeStandin"]
