"""English or Spanish: for this browser, and for the person who is signed in."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.i18n import set_language

from apps.portal.pages import OPEN, page
from config.context import Place
from tenants.identity.people import update_person
from tenants.models import Member


@page(OPEN, "POST", place=Place.SQUARE)
def choose(request: HttpRequest) -> HttpResponse:
    """`/i18n/setlang` with `language` and `next`."""
    chosen = request.POST.get("language", "")
    member: Member | None = getattr(request, "member", None)
    if member is not None and chosen in dict(settings.LANGUAGES):
        update_person(member.person, locale=chosen)
    answer: HttpResponse = set_language(request)
    return answer
