"""Forgotten passwords and new e-mail addresses: the pages that lead to the mail, and those it leads to."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from rest_framework.exceptions import ValidationError

from apps.portal.forms import LinkForm, NewPasswordForm, ResetForm
from apps.portal.pages import OPEN, page
from config.api import parse
from config.context import Place
from config.errors import DomainError, ValidationFailed
from tenants.identity.credential_shapes import NewPasswordIn, ResetIn
from tenants.identity.refusals import EmailTaken, ProofInvalid
from tenants.identity.views.credentials import ask_reset, confirm_email, reset


@page(OPEN, "GET", "POST", place=Place.SQUARE)
def ask(request: HttpRequest) -> HttpResponse:
    """`/password-reset`: an address; the answer is the same for one that nobody has."""
    if request.method != "POST":
        return _form(request, "reset", ResetForm())
    form = ResetForm(request.POST)
    form.full_clean()
    try:
        ask_reset(request, email=parse(ResetIn, request.POST.dict())["email"])
    except ValidationError as refused:
        form.refuse(refused)
        return _form(request, "reset", form, status=400)
    return _form(request, "reset", None)


@page(OPEN, "GET", "POST", place=Place.SQUARE)
def choose(request: HttpRequest) -> HttpResponse:
    """`/password-reset/confirm?token=`: a new password. Opening the page uses up nothing."""
    if request.method != "POST":
        return _form(request, "new_password", NewPasswordForm(_token(request)))
    form = NewPasswordForm(request.POST)
    form.full_clean()
    try:
        reset(request, **parse(NewPasswordIn, request.POST.dict()))
    except (ValidationFailed, ValidationError) as refused:
        form.refuse(refused)
        return _form(request, "new_password", form, status=400)
    except ProofInvalid as refused:
        return _refused(request, "new_password", form, refused)
    return _form(request, "new_password", None)


@page(OPEN, "GET", "POST", place=Place.SQUARE)
def confirm(request: HttpRequest) -> HttpResponse:
    """`/email-change/confirm?token=`: a button, since programs open the links of mails too."""
    if request.method != "POST":
        return _form(request, "new_email", LinkForm(_token(request)))
    form = LinkForm(request.POST)
    form.full_clean()
    try:
        confirm_email(request, token=request.POST.get("token", ""))
    except (ProofInvalid, EmailTaken) as refused:
        return _refused(request, "new_email", form, refused)
    return _form(request, "new_email", None)


def _token(request: HttpRequest) -> dict[str, str]:
    return {"token": request.GET.get("token", "")}


def _refused(
    request: HttpRequest, name: str, form: NewPasswordForm | LinkForm, refused: DomainError
) -> HttpResponse:
    form.add_error(None, str(refused.title))
    return _form(request, name, form, status=refused.status)


def _form(
    request: HttpRequest,
    name: str,
    form: ResetForm | NewPasswordForm | LinkForm | None,
    *,
    status: int = 200,
) -> HttpResponse:
    """Without a form it is done."""
    is_square = getattr(request, "tenant", None) is None
    frame = "portal/square_frame.html" if is_square else "portal/frame.html"
    facts = {"form": form, "frame": frame, "is_square": is_square}
    return render(request, f"portal/{name}.html", facts, status=status)
