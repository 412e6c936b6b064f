"""Forms as pages show them. What is valid, the services decide; a form carries their answers to its fields."""

from collections.abc import Mapping
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _
from rest_framework.exceptions import ValidationError

from config.api import as_domain_error
from config.errors import ValidationFailed

_LONGEST_PASSWORD = 1024


class ServiceForm(forms.Form):
    """Everything is taken as it is given; `refuse` shows what a service said against it."""

    use_required_attribute = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for field in self.fields.values():
            field.widget.is_required = field.required
            field.required = False

    def refuse(self, refused: ValidationFailed | ValidationError) -> None:
        """Put the messages beside their fields; those of unknown fields above the form."""
        error = as_domain_error(refused)
        found: Mapping[str, Any] = error.facts["errors"] if error else {}
        for name, messages in found.items():
            listed = messages if isinstance(messages, list) else [messages]
            self.add_error(name if name in self.fields else None, [str(text) for text in listed])


class SignInForm(ServiceForm):
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )
    password = forms.CharField(
        label=_("Password"),
        max_length=_LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class SignUpForm(ServiceForm):
    organisation = forms.CharField(
        label=_("Organisation"),
        widget=forms.TextInput(
            attrs={"autocomplete": "organization", "maxlength": 200, "data-proposes": "id_slug"}
        ),
    )
    slug = forms.CharField(
        label=_("Address"),
        widget=forms.TextInput(
            attrs={
                "maxlength": 40,
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
                "hx-get": "/signup/slug",
                "hx-trigger": "input changed delay:300ms",
                "hx-target": "#slug-state",
                "hx-sync": "this:replace",
            }
        ),
    )
    email = forms.CharField(
        label=_("Your e-mail"),
        widget=forms.EmailInput(attrs={"autocomplete": "email", "maxlength": 254}),
    )
    password = forms.CharField(
        label=_("Password"),
        strip=False,
        help_text=_("At least 10 characters, and none of the common ones."),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "maxlength": _LONGEST_PASSWORD}
        ),
    )
    plan = forms.CharField(label=_("Plan"))


class ImportForm(ServiceForm):
    file = forms.FileField(
        label=_("File"),
        help_text=_("CSV or XLSX. Columns are recognised by their names."),
        allow_empty_file=True,
        widget=forms.ClearableFileInput(attrs={"accept": ".csv,.tsv,.txt,.xlsx"}),
    )
    allow_partial = forms.BooleanField(
        label=_("Import as much as the plan allows"),
        help_text=_("Otherwise a file with too many new contacts is refused before it starts."),
        required=False,
    )


class InvitationForm(ServiceForm):
    token = forms.CharField(widget=forms.HiddenInput())
    name = forms.CharField(
        label=_("Name"),
        max_length=200,
        required=False,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
    )
    password = forms.CharField(
        label=_("Password"),
        help_text=_("If you have an account, its password; otherwise choose one."),
        max_length=_LONGEST_PASSWORD,
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )


class ResetForm(ServiceForm):
    email = forms.CharField(
        label=_("E-mail"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class LinkForm(ServiceForm):
    token = forms.CharField(widget=forms.HiddenInput())


class NewPasswordForm(LinkForm):
    password = forms.CharField(
        label=_("New password"),
        strip=False,
        help_text=_("At least 10 characters, and none of the common ones."),
        widget=forms.PasswordInput(
            attrs={"autocomplete": "new-password", "maxlength": _LONGEST_PASSWORD}
        ),
    )


class CodeForm(ServiceForm):
    otp = forms.CharField(
        label=_("Code"),
        widget=forms.TextInput(attrs={"autocomplete": "one-time-code", "maxlength": 40}),
    )


class PresentPasswordForm(ServiceForm):
    present_password = forms.CharField(
        label=_("Present password"),
        strip=False,
        widget=forms.PasswordInput(
            attrs={"autocomplete": "current-password", "maxlength": _LONGEST_PASSWORD}
        ),
    )


class RemovalForm(PresentPasswordForm, CodeForm):
    field_order = ("present_password", "otp")
