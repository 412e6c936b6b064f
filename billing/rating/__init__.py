"""From what was subscribed and used to the lines of an invoice: pure functions, no database, no clock.

A preview and the invoice that follows it are one call with the same facts, so they cannot differ.
"""

from billing.rating.invoices import rate_period

__all__ = ["rate_period"]
