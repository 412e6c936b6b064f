"""`/errors/` and `/errors/<code>`: each problem's `type` is an address that explains it."""

from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import path

from config.errors import all_errors
from config.needs import Needs, needs

_OPEN = Needs(public=True, critical=True, meter=None)


@needs(_OPEN)
def error_codes(request: HttpRequest) -> HttpResponse:
    """The table of all error codes, made from the classes that define them."""
    return render(request, "reference/errors.html", {"errors": all_errors()})


@needs(_OPEN)
def error_code(request: HttpRequest, code: str) -> HttpResponse:
    """One error code. Raises Http404 for an unknown one."""
    found = [error for error in all_errors() if error.code == code]
    if not found:
        raise Http404
    return render(request, "reference/errors.html", {"errors": found})


urlpatterns = [
    path("errors/", error_codes, name="error-codes"),
    path("errors/<slug:code>", error_code, name="error-code"),
]
