"""The way in for whoever was invited: the page that the mail's link opens."""

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import get_language

from apps.portal.forms import InvitationForm
from apps.portal.pages import OPEN, page
from billing.refusals import InvitationInvalid
from billing.services.invitations import Acceptance, accept
from config.context import Place, require_tenant
from config.errors import DomainError, ValidationFailed
from tenants.identity import entering
from tenants.identity.refusals import AlreadyMember, InvalidCredentials
from tenants.identity.throttles import by_address, limited

_PER_ADDRESS = "20/m"


@page(OPEN, "GET", "POST", place=Place.SQUARE)
def invitation(request: HttpRequest) -> HttpResponse:
    """`/invitation?token=`: a form for a password; then the new member is signed in."""
    if request.method != "POST":
        return _form(request, InvitationForm({"token": request.GET.get("token", "")}), status=200)
    limited(request, group="accept", keys=by_address(request), rate=_PER_ADDRESS)
    form, given = InvitationForm(request.POST), request.POST
    form.full_clean()
    acceptance = Acceptance(
        token=given.get("token", ""),
        password=given.get("password", ""),
        name=given.get("name", ""),
        locale=get_language() or "",
    )
    now = timezone.now()
    try:
        member = accept(tenant_id=require_tenant().id, acceptance=acceptance, now=now)
    except ValidationFailed as refused:
        form.refuse(refused)
        return _form(request, form, status=400)
    except (InvitationInvalid, InvalidCredentials, AlreadyMember) as refused:
        return _refused(request, form, refused)
    return HttpResponseRedirect(entering.enter(request, member=member, now=now))


def _refused(request: HttpRequest, form: InvitationForm, refused: DomainError) -> HttpResponse:
    form.add_error(None, str(refused.title))
    return _form(request, form, status=refused.status)


def _form(request: HttpRequest, form: InvitationForm, *, status: int) -> HttpResponse:
    return render(request, "portal/invitation.html", {"form": form}, status=status)
