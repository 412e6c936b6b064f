"""`/errors/` and `/errors/<code>`: each problem's `type` is an address that explains it."""

import inspect

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

from config.errors import DomainError, all_errors
from config.needs import Needs, needs

_OPEN = Needs(public=True, critical=True, meter=None)


@needs(_OPEN)
def error_codes(request: HttpRequest) -> HttpResponse:
    """The table of all error codes, made from the classes that define them."""
    return render(request, "reference/errors.html", {"errors": all_errors()})


@needs(_OPEN)
def error_code(request: HttpRequest, code: str) -> HttpResponse:
    """One error code, with its explanation. Raises Http404 for an unknown one."""
    found = [error for error in all_errors() if error.code == code]
    if not found:
        raise Http404
    facts = {"errors": found, "explained": _explained(found[0])}
    return render(request, "reference/errors.html", facts)


def _explained(error: type[DomainError]) -> list[SafeString]:
    """The paragraphs of the class's docstring, with its `names` as code."""
    paragraphs = inspect.cleandoc(error.__doc__ or "").split("\n\n")
    return [
        format_html_join(
            "",
            "<{0}>{1}</{0}>",
            (("code" if turn % 2 else "span", words) for turn, words in enumerate(text.split("`"))),
        )
        for text in paragraphs
        if text
    ]


urlpatterns = [
    path("errors/", error_codes, name="error-codes"),
    path("errors/<slug:code>", error_code, name="error-code"),
]
