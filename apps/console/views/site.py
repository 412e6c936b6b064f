"""The operators' site: its own sign-in on the square, closed to members, read-only but for named actions."""

from collections.abc import Iterable
from functools import wraps
from http import HTTPStatus
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, URLResolver, path
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.sites import UnfoldAdminSite

from apps.console.money_pages import month_page, panels_of_margins
from apps.console.summary import figures
from apps.console.views import door
from config.errors import DomainError
from config.handlers import refusal
from config.needs import Needs, needs
from tenants.identity import operators
from tenants.identity.passwords import guard_sign_in
from tenants.models import Person

# Who enters, the site decides itself: operators sign in here, not at a tenant.
_OWN_DOOR = Needs(public=True, critical=True, meter=None)
# unfold's pages are driven by Alpine, which compiles attributes (`unsafe-eval`), and state their
# colours in a <style>. Only the console allows it.
_POLICY = {"script-src": ["'unsafe-eval'"], "style-src": ["'unsafe-inline'"]}


class ConsoleSite(UnfoldAdminSite):  # type: ignore[misc]
    """Django's admin for operators. What is changed goes through a service, with a reason."""

    index_title = _("Overview")
    index_template = "console/index.html"

    def has_permission(self, request: HttpRequest) -> bool:
        user = request.user
        is_operator = isinstance(user, Person) and user.is_active and user.is_staff
        return is_operator and operators.has_proved(request)

    def login(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """The sign-in, under the limits of every sign-in by password; then comes the second factor."""
        if request.method == "POST":
            try:
                guard_sign_in(request, email=request.POST.get("username", ""))
            except DomainError as error:
                return refusal(request, error)
        answer: HttpResponse = super().login(request, extra_context)
        if request.method == "POST" and answer.status_code == HTTPStatus.FOUND:
            operators.forget_proof(request)
            return HttpResponseRedirect(f"{door.PAGE}?{urlencode({'next': answer['Location']})}")
        if request.method == "POST":
            door.note(request.POST.get("username", ""), is_let_in=False)
        return answer

    def index(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> TemplateResponse:
        facts = {**(extra_context or {}), "figures": figures(now=timezone.now())}
        answer: TemplateResponse = super().index(request, facts)
        return answer

    def margins(self, request: HttpRequest) -> TemplateResponse:
        """`?month=`: what each plan and each tenant brought, what it cost, and what is left."""
        facts = {
            **self.each_context(request),
            **month_page(
                request.GET.get("month", ""), now=timezone.now(), panels=panels_of_margins
            ),
            "title": _("Margins"),
        }
        return TemplateResponse(request, "console/month.html", facts)

    def get_urls(self) -> list[Any]:
        urls: list[Any] = [
            path("second-factor/", door.second_step, name="second-factor"),
            path("margins/", self.admin_view(self.margins), name="margins"),
            *super().get_urls(),
        ]
        _declare(urls)
        return urls


def _declare(urls: Iterable[URLPattern | URLResolver]) -> None:
    """Every view of the console says that this site itself decides who enters, and states its policy."""
    for entry in urls:
        if isinstance(entry, URLResolver):
            _declare(entry.url_patterns)
        else:
            entry.callback = _with_policy(entry.callback)


def _with_policy(view: Any) -> Any:
    @wraps(view)
    def answered(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        answer: HttpResponse = view(request, *args, **kwargs)
        answer._csp_update = _POLICY  # type: ignore[attr-defined]  # noqa: SLF001
        return answer

    return needs(_OWN_DOOR)(answered)


site = ConsoleSite(name="console")
