"""Why a request of a law is refused."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class PrivacyRequestClosed(DomainError):
    """The request was answered already; `state` says how."""

    code = "privacy_request_closed"
    status = 409
    title = _("This request was answered already.")


class PrivacyRequestNotExtensible(DomainError):
    """The law gives no more time for this, or it was given already."""

    code = "privacy_request_not_extensible"
    status = 409
    title = _("There is no more time for this request.")


class PrivacyRequestNamesNobody(DomainError):
    """No contact is named, so there is nobody whose data could be shown, erased or restricted."""

    code = "privacy_request_names_nobody"
    status = 409
    title = _("Name the contact first.")
