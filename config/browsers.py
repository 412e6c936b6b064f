"""What only browsers need: sessions, CSRF tokens, messages, htmx. A program's request goes past it."""

from collections.abc import Callable
from typing import Any

from csp.middleware import CSPMiddleware
from django.conf import settings
from django.contrib.auth.middleware import AuthenticationMiddleware
from django.contrib.messages.middleware import MessageMiddleware
from django.contrib.sessions.middleware import SessionMiddleware
from django.http import HttpRequest, HttpResponse
from django.middleware.clickjacking import XFrameOptionsMiddleware
from django.middleware.csrf import CsrfViewMiddleware
from django_htmx.middleware import HtmxMiddleware

_PROGRAMS = "/api/"
_CSP = "Content-Security-Policy"
GetResponse = Callable[[HttpRequest], HttpResponse]


class BrowserMiddleware:
    """Django's middleware for pages, in its order; an answer of the API gets the same headers by itself.

    The API takes no sessions and asks for no CSRF token (tenants/identity/middleware.py), so each of
    these would only be called to find that there is nothing to do.
    """

    def __init__(self, get_response: GetResponse) -> None:
        self._programs = get_response
        self._policy = ""
        chain: Any = HtmxMiddleware(get_response)
        chain = XFrameOptionsMiddleware(CSPMiddleware(chain))
        chain = AuthenticationMiddleware(MessageMiddleware(chain))
        self._csrf = CsrfViewMiddleware(chain)
        self._pages: Any = SessionMiddleware(self._csrf)

    def __call__(self, request: HttpRequest) -> HttpResponse:
        if not request.path_info.startswith(_PROGRAMS):
            answer: HttpResponse = self._pages(request)
            return answer
        response = self._programs(request)
        response.headers.setdefault("X-Frame-Options", settings.X_FRAME_OPTIONS)
        if _CSP not in response.headers:
            self._policy = self._policy or _policy(request)
            response.headers[_CSP] = self._policy
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], args: Any, kwargs: Any
    ) -> HttpResponse | None:
        if request.path_info.startswith(_PROGRAMS):
            return None
        return self._csrf.process_view(request, view, args, kwargs)


def _policy(request: HttpRequest) -> str:
    """The policy as CSPMiddleware spells it."""
    spelled: Any = CSPMiddleware(lambda _: HttpResponse())
    return str(spelled.process_response(request, HttpResponse()).headers[_CSP])
