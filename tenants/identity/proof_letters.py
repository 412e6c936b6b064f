"""What is mailed to one person about their own account, whichever tenants they are a member of."""

from collections.abc import Callable, Mapping

from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from tenants.mails.letters import Letter
from tenants.models import MailedProof
from tenants.trail.masking import masked


def _password_reset(_row: MailedProof) -> Letter:
    return Letter(
        subject=_("Choose a new password"),
        paragraphs=(
            _("Somebody, probably you, asked for a new password for this e-mail address."),
            _("The link below holds for an hour and works once. It signs you out everywhere."),
            _("If it was not you, ignore this mail: your password stays as it is."),
        ),
        action=_("Choose a new password"),
        path="",
    )


def _email_change(_row: MailedProof) -> Letter:
    return Letter(
        subject=_("Confirm your new e-mail address"),
        paragraphs=(
            _("Somebody, probably you, wants to sign in to Plaza with this e-mail address."),
            _("The link below holds for an hour and works once."),
            _("If it was not you, ignore this mail: nothing changes."),
        ),
        action=_("Confirm this address"),
        path="",
    )


def _email_changed(row: MailedProof) -> Letter:
    now_at = masked(row.person.email) if row.person else ""
    return Letter(
        subject=_("Your e-mail address was changed"),
        paragraphs=(
            _("From now on you sign in to Plaza with %(email)s.") % {"email": now_at},
            _("If it was not you, write to us at once: somebody knows your password."),
        ),
        action=_("Choose a new password"),
        path="",
    )


def _password_changed(_row: MailedProof) -> Letter:
    return Letter(
        subject=_("Your password was changed"),
        paragraphs=(
            _("Your password was changed, and you were signed out everywhere."),
            _("If it was not you, choose a new one at once."),
        ),
        action=_("Choose a new password"),
        path="",
    )


LETTERS: Mapping[str, Callable[[MailedProof], Letter]] = {
    "password_reset": _password_reset,
    "email_change": _email_change,
    "email_changed": _email_changed,
    "password_changed": _password_changed,
}
_ACCOUNT = gettext_lazy("Plaza sent you this because it concerns your account")
FOOTERS: Mapping[str, str | Promise] = {
    "password_reset": _ACCOUNT,
    "email_change": gettext_lazy("Plaza sent you this because somebody entered this address"),
    "email_changed": _ACCOUNT,
    "password_changed": _ACCOUNT,
}
