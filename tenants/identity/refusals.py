"""Why a credential, a sign-in or a membership is refused."""

from collections.abc import Mapping

from django.utils.translation import gettext_lazy as _

from config.errors import DomainError

_CHALLENGE = 'Bearer realm="plaza", Api-Key realm="plaza"'
_INVALID = 'Bearer realm="plaza", error="invalid_token"'


class CredentialsMissing(DomainError):
    """The request carries no credentials and this address asks for some."""

    code = "credentials_missing"
    status = 401
    title = _("Sign in, or send a token or a key.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class TokenInvalid(DomainError):
    """The credentials are malformed, or the token is not one of this tenant, or it was revoked."""

    code = "token_invalid"
    status = 401
    title = _("The credentials are not valid here.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _INVALID}


class TokenExpired(DomainError):
    """The token was good and its time is over: refresh it."""

    code = "token_expired"
    status = 401
    title = _("The token has expired.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _INVALID}


class InvalidCredentials(DomainError):
    """No member of this tenant has this e-mail and password. It is not said which of them is wrong."""

    code = "invalid_credentials"
    status = 401
    title = _("The e-mail or the password is wrong.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class ApiKeyInvalid(DomainError):
    """The key is unknown here, expired or revoked, or its maker is no longer a member."""

    code = "api_key_invalid"
    status = 403
    title = _("The API key is not valid.")


class ApiKeyAddressRefused(DomainError):
    """The key is good, and is not to be used from the address that the request comes from."""

    code = "api_key_address_refused"
    status = 403
    title = _("This API key is not allowed from this address.")


class ApiKeyEnded(DomainError):
    """The key is revoked or has expired: there is nothing to rotate. Make another one."""

    code = "api_key_ended"
    status = 409
    title = _("This API key has ended.")


class EmailTaken(DomainError):
    """There is a person with this e-mail already."""

    code = "email_taken"
    status = 409
    title = _("There is an account with this e-mail.")


class AlreadyMember(DomainError):
    """The person is a member of this tenant already."""

    code = "already_member"
    status = 409
    title = _("This person is a member already.")


class OperatorIsNoMember(DomainError):
    """An operator has a sign-in of their own and belongs to no tenant."""

    code = "operator_is_no_member"
    status = 409
    title = _("An operator cannot be a member of a tenant.")


class LastOwner(DomainError):
    """The last owner keeps their seat: somebody must be able to pay and to close."""

    code = "last_owner"
    status = 409
    title = _("The last owner cannot leave.")


class RoleInUse(DomainError):
    """Members have this role: give them another one first."""

    code = "role_in_use"
    status = 409
    title = _("There are members with this role.")


class NotAMember(DomainError):
    """The person is known, and does not belong to this tenant."""

    code = "not_a_member"
    status = 403
    title = _("You are not a member here.")


class OpenIdRefused(DomainError):
    """The sign-in at the provider was broken off, repeated, or did not prove what it must."""

    code = "openid_refused"
    status = 401
    title = _("The provider did not confirm this sign-in. Please start again.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class OpenIdEmailUnverified(DomainError):
    """The provider does not vouch for the e-mail, so it links to nobody."""

    code = "openid_email_unverified"
    status = 403
    title = _("The provider has not verified your e-mail.")


class CrossingRefused(DomainError):
    """The code is used, too old, another tenant's, or another browser's."""

    code = "crossing_refused"
    status = 401
    title = _("This sign-in link is no longer valid. Please start again.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class ProofInvalid(DomainError):
    """The link from a mail was used, is too old, was replaced by a newer one, or is not of this host."""

    code = "mailed_link_invalid"
    status = 410
    title = _("This link is no longer valid. Ask for a new one.")


class WrongPassword(DomainError):
    """The present password, by which a change is confirmed, is not that."""

    code = "wrong_password"
    status = 403
    title = _("The present password is wrong.")


class SecondFactorNeeded(DomainError):
    """The password is right, and the person has a second factor: send its code, or a recovery code, as `otp`."""

    code = "second_factor_needed"
    status = 401
    title = _("Enter the code of your authenticator app, or a recovery code.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class SecondFactorInvalid(DomainError):
    """The code is wrong, too old, or was taken before."""

    code = "second_factor_invalid"
    status = 401
    title = _("This code is wrong, or was used before. Wait for the next one.")
    headers: Mapping[str, str] = {"WWW-Authenticate": _CHALLENGE}


class SecondFactorRequired(DomainError):
    """The organisation asks members of this role for a second factor, and this sign-in proved none."""

    code = "second_factor_required"
    status = 403
    title = _("This organisation asks for a second factor. Set one up, or sign in again with it.")


class SecondFactorKnown(DomainError):
    """The person has an authenticator app already; it is removed before another one is set up."""

    code = "second_factor_known"
    status = 409
    title = _("You have an authenticator app already.")


class SecondFactorNotSetUp(DomainError):
    """The person has no authenticator app yet, or did not begin with one."""

    code = "second_factor_not_set_up"
    status = 409
    title = _("Set up an authenticator app first.")
