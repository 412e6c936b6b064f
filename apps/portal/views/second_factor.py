"""The page of a person's second factor: set up, recovery codes, and let go of."""

from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from apps.portal.forms import CodeForm, PresentPasswordForm, RemovalForm, ServiceForm
from apps.portal.pages import page
from config.context import Place
from config.errors import DomainError
from config.needs import Needs, Permission
from tenants.identity.factor_policy import before_second_factor
from tenants.identity.refusals import SecondFactorInvalid, SecondFactorKnown, WrongPassword
from tenants.identity.views import second_factor

_MINE = Needs(read=Permission.ME_READ, write=Permission.ME_WRITE, meter=None, critical=True)
_SHOWN_ON_THE_PAGE = (SecondFactorInvalid, SecondFactorKnown, WrongPassword)


@page(_MINE, "GET", place=Place.SQUARE)
@before_second_factor
def show(request: HttpRequest) -> HttpResponse:
    """`/account/second-factor`: what there is, and what can be done."""
    return _page(request)


@page(_MINE, "POST", place=Place.SQUARE)
@before_second_factor
def begin(request: HttpRequest) -> HttpResponse:
    """Posted with `present_password`: the secret of a new app, and the form for its first code."""
    form = PresentPasswordForm(request.POST)
    return _answered(
        request,
        form,
        lambda: {
            "app": second_factor.begin_app(request, present=_given(request, "present_password"))
        },
    )


@page(_MINE, "POST", place=Place.SQUARE)
@before_second_factor
def confirm(request: HttpRequest) -> HttpResponse:
    """Posted with the first `otp` of the app, and its `secret` to be shown again where it was mistyped."""
    form = CodeForm(request.POST)
    shown = {"secret": _given(request, "secret"), "uri": _given(request, "uri")}
    return _answered(
        request,
        form,
        lambda: {"codes": second_factor.confirm_app(request, code=_given(request, "otp"))},
        otherwise={"app": shown, "confirm_form": form},
    )


@page(_MINE, "POST", place=Place.SQUARE)
def renew(request: HttpRequest) -> HttpResponse:
    """Posted with `otp`: new recovery codes."""
    form = CodeForm(request.POST)
    return _answered(
        request,
        form,
        lambda: {"codes": second_factor.renew_codes(request, code=_given(request, "otp"))},
        otherwise={"renew_form": form},
    )


@page(_MINE, "POST", place=Place.SQUARE)
def remove(request: HttpRequest) -> HttpResponse:
    """Posted with `present_password` and `otp`: the second factor is let go of."""
    form = RemovalForm(request.POST)

    def done() -> dict[str, Any]:
        second_factor.remove_app(
            request,
            present=_given(request, "present_password"),
            code=_given(request, "otp"),
        )
        return {}

    return _answered(request, form, done, otherwise={"remove_form": form})


def _answered(
    request: HttpRequest,
    form: ServiceForm,
    act: Callable[[], dict[str, Any]],
    *,
    otherwise: dict[str, Any] | None = None,
) -> HttpResponse:
    form.full_clean()
    try:
        return _page(request, **act())
    except _SHOWN_ON_THE_PAGE as refused:
        return _refused(request, form, refused, otherwise or {"begin_form": form})


def _refused(
    request: HttpRequest, form: ServiceForm, refused: DomainError, shown: dict[str, Any]
) -> HttpResponse:
    form.add_error(None, str(refused.title))
    return _page(request, status=refused.status, **shown)


def _page(request: HttpRequest, *, status: int = 200, **shown: Any) -> HttpResponse:
    facts = {
        "here": "account",
        "factor": second_factor.state_of(request),
        "begin_form": PresentPasswordForm(),
        "confirm_form": CodeForm(),
        "renew_form": CodeForm(),
        "remove_form": RemovalForm(),
        **shown,
    }
    return render(request, "portal/second_factor.html", facts, status=status)


def _given(request: HttpRequest, name: str) -> str:
    return str(request.POST.get(name, ""))
