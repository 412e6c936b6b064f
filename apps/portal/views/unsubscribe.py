"""The way out of a tenant's letters: the page that a letter's link opens, and what mail programs post to it."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from django.views.decorators.csrf import csrf_exempt

from apps.campaigns.services.mailing import unsubscribing
from apps.portal.pages import OPEN, page
from tenants.identity.throttles import by_address, limited

_PER_ADDRESS = "60/m"


@csrf_exempt  # the signed address is the right to do it; RFC 8058's POST comes from no page of ours
@page(OPEN, "GET", "POST")
def unsubscribe(request: HttpRequest, token: str) -> HttpResponse:
    """`/unsubscribe/<token>`: a button, since programs that look at links must not press it; POST says no."""
    limited(request, group="unsubscribe", keys=by_address(request), rate=_PER_ADDRESS)
    unsubscribing.read(token)
    is_done = request.method == "POST"
    if is_done:
        unsubscribing.unsubscribe(token=token, now=timezone.now())
    return render(request, "portal/unsubscribe.html", {"token": token, "is_done": is_done})
