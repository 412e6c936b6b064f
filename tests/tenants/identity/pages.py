"""A tenant's urls with pages of our own, since the portal's belong to another room."""

from django.http import HttpRequest, HttpResponse, JsonResponse
from django.urls import include, path
from django.utils import timezone

from config.needs import Needs, needs
from tenants.identity.caller import caller_of
from tenants.identity.entering import sign_in
from tenants.identity.sessions import sign_out

handler404 = "config.handlers.not_found"
handler500 = "config.handlers.server_error"


@needs(Needs(public=True, critical=True, meter=None))
def door(request: HttpRequest) -> HttpResponse:
    """Sign in by a form."""
    if request.method == "POST":
        sign_in(
            request,
            email=request.POST["email"],
            password=request.POST["password"],
            now=timezone.now(),
        )
    return who(request)


@needs(Needs(public=True, critical=True, meter=None))
def leave(request: HttpRequest) -> HttpResponse:
    sign_out(request, now=timezone.now())
    return who(request)


@needs(Needs(critical=True, meter=None))
def who(request: HttpRequest) -> HttpResponse:
    """Who asks, and whom Django thinks they are."""
    caller = caller_of(request)
    return JsonResponse(
        {
            "kind": caller.kind,
            "member": str(caller.member_id),
            "tenant": str(caller.tenant_id),
            "role": caller.role_name,
            "user": str(request.user.pk),
        }
    )


urlpatterns = [
    path("door", door),
    path("leave", leave),
    path("private", who),
    path("api/private", who),
    path("", include("config.urls_tenant")),
]
