"""The payment provider's stand-in, and a folder of its own for uploads."""

from tests.billing.conftest import arrivals, receiver, settle, shop, square, stripe
from tests.crm.conftest import uploads

__all__ = ["arrivals", "receiver", "settle", "shop", "square", "stripe", "uploads"]
