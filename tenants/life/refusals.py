"""What refuses, and whom, while a tenant comes to its end."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class TenantClosing(DomainError):
    """The tenant is closed and will be erased at `erase_after`: usage, plan, export and support stay reachable."""

    code = "tenant_closing"
    status = 403
    title = _("This tenant is closed and will be erased.")


class TenantNotOpen(DomainError):
    """Only a tenant that is active or suspended can be closed; `state` says what it is."""

    code = "tenant_not_open"
    status = 409
    title = _("This tenant is not open.")


class RestoreTooLate(DomainError):
    """The window in which a closed tenant can be restored has ended."""

    code = "restore_too_late"
    status = 409
    title = _("This tenant can no longer be restored.")


class TenantNotClosing(DomainError):
    """Only a closed tenant is erased; `state` says what it is."""

    code = "tenant_not_closing"
    status = 409
    title = _("This tenant is not closed.")


class ClosingWindowOpen(DomainError):
    """The tenant can still be restored, until `erase_after`; only then is it erased."""

    code = "closing_window_open"
    status = 409
    title = _("This tenant can still be restored.")


class ErasureRunning(DomainError):
    """Another process is erasing this tenant."""

    code = "erasure_running"
    status = 409
    title = _("This tenant is being erased right now.")
