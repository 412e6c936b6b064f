"""Webhooks to addresses that tenants registered: `emit` tells an event, in whatever place one is.

Standard Webhooks (standardwebhooks.com): signed, retried for three days, redelivered by hand.
"""

from tenants.outbound.emitting import emit
from tenants.outbound.events import Event

__all__ = ["Event", "emit"]
