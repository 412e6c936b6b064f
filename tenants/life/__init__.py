"""The end of a tenant: closed with a reason, restored inside the window, erased after it for good."""

from tenants.life.closing import close, refuse_closing, restore
from tenants.life.erasing import due, erase
from tenants.life.retention import forget_certificates

__all__ = ["close", "due", "erase", "forget_certificates", "refuse_closing", "restore"]
