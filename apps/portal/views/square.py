"""The square's pages: what Plaza is, what it costs, and the way in."""

from django.conf import settings
from django.db import DatabaseError
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError

from apps.portal.forms import SignUpForm
from apps.portal.offers import known_currency, offers
from apps.portal.pages import OPEN, page
from billing import catalogue, signup
from billing.serializers import SignUpIn
from config.api import parse
from config.errors import DomainError, ValidationFailed
from config.logs import logger
from tenants.identity.refusals import EmailTaken
from tenants.identity.throttles import by_address, limited
from tenants.models import Tenant
from tenants.services import SlugTaken, check_slug, host_of, is_kept, url_of

log = logger(__name__)
# The same groups and rates as those of POST /api/v1/signup, so that both doors share one count.
_SIGN_UPS_PER_ADDRESS = "60/h"
_SIGN_UPS_PER_ACCOUNT = "10/h"
_NAMES_PER_ADDRESS = "120/m"
_MEBIBYTE = 1024 * 1024


@page(OPEN, "GET")
def landing(request: HttpRequest) -> HttpResponse:
    """`/?currency=`: what Plaza is, plans and prices."""
    currency = known_currency(request.GET.get("currency"))
    facts = {
        "offers": offers(currency),
        "currency": currency,
        "currencies": catalogue.CURRENCIES,
        "upload_limit_mb": settings.PLAZA_UPLOAD_LIMIT_BYTES // _MEBIBYTE,
        "sign_in_at": host_of(_("your-name")) + f"{settings.PLAZA_PORT_SUFFIX}/login",
    }
    return render(request, "portal/square.html", facts)


@page(OPEN, "GET")
def slug_state(request: HttpRequest) -> HttpResponse:
    """`/signup/slug?slug=`: whether the name is free, as a fragment for the form."""
    limited(request, group="slug", keys=by_address(request), rate=_NAMES_PER_ADDRESS)
    slug = request.GET.get("slug", "").strip()
    return render(request, "portal/parts/slug_state.html", {"slug_state": _state_of(slug)})


def _state_of(slug: str) -> dict[str, str]:
    if not slug:
        return {}
    try:
        check_slug(slug)
    except ValidationFailed as refused:
        return {"problem": " ".join(refused.facts["errors"]["slug"])}
    if Tenant.objects.filter(slug=slug).exists() or is_kept(slug):
        return {"problem": str(SlugTaken.title)}
    return {"address": host_of(slug)}


@page(OPEN, "GET", "POST")
def sign_up(request: HttpRequest) -> HttpResponse:
    """`/signup?plan=`: the form; posted, the same service as the API's sign-up."""
    if request.method != "POST":
        wanted = request.GET.get("plan", "")
        known = {spec.key for spec in catalogue.plans()}
        plan = wanted if wanted in known else catalogue.FREE
        return _form(request, SignUpForm(initial={"plan": plan}), status=200)
    form = SignUpForm(request.POST)
    form.full_clean()
    try:
        tenant = _reserved(request)
    except (ValidationFailed, ValidationError) as refused:
        form.refuse(refused)
    except SlugTaken as refused:
        form.add_error("slug", str(refused.title))
    except EmailTaken:
        form.add_error(
            "email", _("There is an account with this e-mail. Enter its password to use it here.")
        )
    else:
        return _done(request, tenant)
    return _form(request, form, status=400)


def _reserved(request: HttpRequest) -> Tenant:
    limited(request, group="sign-up", keys=by_address(request), rate=_SIGN_UPS_PER_ADDRESS)
    wish = parse(SignUpIn, request.POST.dict())
    account = wish["email"].strip().lower()
    limited(request, group="sign-up", keys=["account", account], rate=_SIGN_UPS_PER_ACCOUNT)
    locale = (get_language() or settings.LANGUAGE_CODE).partition("-")[0]
    application = signup.Application(**wish, locale=locale)
    return signup.reserve(application=application, now=timezone.now())


def _form(request: HttpRequest, form: SignUpForm, *, status: int) -> HttpResponse:
    facts = {
        "form": form,
        "offers": offers(known_currency(None)),
        "domain": settings.PLAZA_DOMAIN,
    }
    return render(request, "portal/signup.html", facts, status=status)


def _done(request: HttpRequest, tenant: Tenant) -> HttpResponse:
    try:
        tenant = signup.finish(tenant_id=tenant.id)
    except (DatabaseError, DomainError):
        # What is reserved stays, and billing.finish_sign_ups goes on with it.
        log.exception("sign_up.unfinished", extra={"tenant_id": str(tenant.id)})
    facts = {
        "tenant": tenant,
        "url": url_of(tenant),
        "plan": catalogue.plan(tenant.subscription.plan),
    }
    return render(request, "portal/signup_done.html", facts, status=201)
