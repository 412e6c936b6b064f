"""In and out of a tenant's portal."""

from urllib.parse import urlencode

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone

from apps.portal.forms import CodeForm, SignInForm
from apps.portal.pages import OPEN, page
from config.context import require_tenant
from tenants.identity import entering, openid, sessions
from tenants.identity.refusals import InvalidCredentials, SecondFactorInvalid
from tenants.identity.sso import connections
from tenants.identity.sso.refusals import SsoRequired
from tenants.isolation import on_square
from tenants.models import Person


@page(OPEN, "GET", "POST")
def login(request: HttpRequest) -> HttpResponse:
    """`/login?next=`: the session opens, and the person goes on to where they were going."""
    given = request.POST if request.method == "POST" else request.GET
    onward = sessions.safe_next(given.get("next"))
    if request.method != "POST":
        if getattr(request, "member", None) is not None:
            return HttpResponseRedirect(onward)
        return _form(request, SignInForm(), onward, status=200)
    form = SignInForm(request.POST)
    form.full_clean()
    try:
        member, path = entering.sign_in(
            request,
            email=request.POST.get("email", ""),
            password=request.POST.get("password", ""),
            now=timezone.now(),
            onward=onward,
        )
    except (InvalidCredentials, SsoRequired) as refused:
        form.add_error(None, str(refused.title))
        return _form(request, form, onward, status=refused.status)
    return _speaking_to(member.person, request, HttpResponseRedirect(path))


@page(OPEN, "GET", "POST")
def second_step(request: HttpRequest) -> HttpResponse:
    """`/login/second-factor`: the code of whoever proved their password a moment ago."""
    now = timezone.now()
    if not entering.waits(request, now=now):
        return HttpResponseRedirect(settings.LOGIN_URL)
    if request.method != "POST":
        return render(request, "portal/second_step.html", {"form": CodeForm()})
    form = CodeForm(request.POST)
    form.full_clean()
    try:
        member, onward = entering.finish(request, code=request.POST.get("otp", ""), now=now)
    except SecondFactorInvalid as refused:
        form.add_error(None, str(refused.title))
        return render(request, "portal/second_step.html", {"form": form}, status=refused.status)
    return _speaking_to(member.person, request, HttpResponseRedirect(onward))


@page(OPEN, "POST")
def logout(request: HttpRequest) -> HttpResponse:
    """`/logout`: the session is forgotten here and in the browser."""
    sessions.sign_out(request, now=timezone.now())
    return HttpResponseRedirect(settings.LOGIN_URL)


def _form(request: HttpRequest, form: SignInForm, onward: str, *, status: int) -> HttpResponse:
    openid_url = f"/login/openid?{urlencode({'next': onward})}" if openid.is_offered() else ""
    facts = {"form": form, "next": onward, "openid_url": openid_url, "sso_url": _sso_url(onward)}
    return render(request, "portal/login.html", facts, status=status)


@on_square()
def _sso_url(onward: str) -> str:
    """The way to the tenant's own provider; empty where it has none."""
    is_set = connections.is_set(require_tenant().id)
    return f"/login/sso?{urlencode({'next': onward})}" if is_set else ""


def _speaking_to(person: Person, request: HttpRequest, answer: HttpResponse) -> HttpResponse:
    """A person's language comes along to a browser in which none was chosen yet."""
    if person.locale and settings.LANGUAGE_COOKIE_NAME not in request.COOKIES:
        answer.set_cookie(
            settings.LANGUAGE_COOKIE_NAME,
            person.locale,
            secure=settings.SESSION_COOKIE_SECURE,
            samesite="Lax",
        )
    return answer
