"""What every page is made with: its needs, its methods, and a refusal that is a page as well."""

from collections.abc import Callable
from contextlib import nullcontext
from functools import wraps
from typing import Any

from django.http import HttpRequest, HttpResponse
from django.utils.cache import add_never_cache_headers
from rest_framework.exceptions import APIException

from config.api import as_domain_error
from config.context import Place, at_place
from config.errors import DomainError, MethodNotAllowed
from config.handlers import refusal
from config.needs import Needs, needs

OPEN = Needs(public=True, critical=True, meter=None)
View = Callable[..., HttpResponse]


def page(declared: Needs, *methods: str, place: Place | None = None) -> Callable[[View], View]:
    """A page for `methods` (GET implies HEAD): refusals raised inside it are shown as a page.

    `place` SQUARE is for pages about identity and money, whose tables are the square's.
    """
    allowed = {*methods, *(["HEAD"] if "GET" in methods else [])}

    def mark(view: View) -> View:
        @wraps(view)
        def answered(request: HttpRequest, **names: Any) -> HttpResponse:
            if request.method not in allowed:
                answer = refusal(request, MethodNotAllowed())
                answer["Allow"] = ", ".join(sorted(allowed))
                return answer
            try:
                with nullcontext() if place is None else at_place(place):
                    answer = view(request, **names)
            except (DomainError, APIException) as raised:
                error = as_domain_error(raised)
                if error is None:
                    raise
                answer = refusal(request, error)
            add_never_cache_headers(answer)
            return answer

        answered.methods = frozenset(allowed)  # type: ignore[attr-defined]  # for who lists the addresses
        return needs(declared)(answered)

    return mark
