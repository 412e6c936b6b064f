"""An operator's act: a page that says what will happen, a reason, one service, a line in the history."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from django import forms
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from config.errors import DomainError


class ReasonForm(forms.Form):
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        help_text=_(
            "It stands in the history; the people of a suspended or closed tenant read it."
        ),
        widget=UnfoldAdminTextInputWidget(),
    )

    def wish(self) -> Any:
        """What an act is done with: the reason, or more where a form asks more."""
        return self.cleaned_data["reason"]


@dataclass(frozen=True, slots=True)
class Act:
    """`do` takes the form's wish and raises DomainErrors; `done` is the line shown and kept afterwards."""

    title: Promise
    consequence: Promise | str
    do: Callable[[Any], object]
    done: Promise
    back: str
    form: Callable[[Any], ReasonForm] = ReasonForm


def confirmed(admin: Any, request: HttpRequest, subject: Any, act: Act) -> HttpResponse:
    """Ask on GET, act on POST, and go back to where the operator came from."""
    form = act.form(request.POST if request.method == "POST" else None)
    if form.is_valid():
        reason = form.cleaned_data["reason"]
        try:
            act.do(form.wish())
        except DomainError as refused:
            form.add_error(None, refused.detail)
        else:
            admin.log_change(request, subject, f"{act.done} {reason}")
            messages.success(request, str(act.done))
            return HttpResponseRedirect(act.back)
    facts = {
        **admin.admin_site.each_context(request),
        "title": act.title,
        "subject": subject,
        "act": act,
        "form": form,
        "opts": admin.opts,
    }
    return TemplateResponse(request, "console/confirmation.html", facts)
