"""Why a sign-in by a tenant's own provider is refused, and why its settings are."""

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError


class SsoNotSet(DomainError):
    """The tenant has no provider of its own."""

    code = "sso_not_set"
    status = 404
    title = _("This organisation has no single sign-on.")


class SsoRequired(DomainError):
    """The organisation asks its members to sign in by its own provider; its owners may by password."""

    code = "sso_required"
    status = 403
    title = _("This organisation asks you to sign in by its own provider.")


class SsoAddressNotProved(DomainError):
    """The provider vouches for no e-mail address of a domain that this tenant has proved."""

    code = "sso_address_not_proved"
    status = 403
    title = _("Your e-mail address is not of a domain that this organisation has proved.")


class SsoNotTried(DomainError):
    """It cannot be enforced before somebody has signed in by it."""

    code = "sso_not_tried"
    title = _("Sign in by the provider once before you ask everybody to.")
