"""Contacts: searched as one types, paged by cursor."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone
from rest_framework.request import Request

from apps.crm.services import lists
from apps.portal.pages import page
from apps.portal.standing import used_of
from config.context import require_tenant
from config.needs import Feature, Meter, Needs, Permission
from config.pages import CursorPage

_LONGEST_SEARCH = 100
_SHOWN = 25
# Counting every match of a wide search would cost more than it tells.
_MOST_COUNTED = 1_000


class _NewestFirst:
    """The order in which CursorPage reads."""

    ordering_fields = ("-created_at",)


@dataclass(frozen=True, slots=True)
class Page:
    """Some rows; `previous` and `next` are addresses of this page, or empty."""

    rows: list[Any]
    previous: str
    next: str


@page(Needs(feature=Feature.CRM, read=Permission.CONTACTS_READ, meter=None), "GET")
def contacts(request: HttpRequest) -> HttpResponse:
    """`/contacts?search=&cursor=`; asked by htmx, the table alone."""
    # PostgreSQL knows no text with a NUL.
    search = request.GET.get("search", "").replace("\x00", "").strip()[:_LONGEST_SEARCH]
    found = lists.contacts_matching(search)
    facts: dict[str, Any] = {"here": "contacts", "search": search, "page": _paged(request, found)}
    if search:
        matches = found[: _MOST_COUNTED + 1].count()
        facts |= {"matches": min(matches, _MOST_COUNTED), "has_more": matches > _MOST_COUNTED}
    else:
        facts["contacts_used"] = used_of(require_tenant().id, Meter.CONTACTS, now=timezone.now())
    is_part = getattr(request, "htmx", False)
    name = "portal/parts/contact_table.html" if is_part else "portal/contacts.html"
    return render(request, name, facts)


def _paged(request: HttpRequest, found: QuerySet[Any]) -> Page:
    """Raises NotFound for a cursor that is not ours."""
    pager = CursorPage()
    pager.page_size = _SHOWN
    rows = pager.paginate_queryset(found, Request(request), view=_NewestFirst())
    return Page(
        rows=list(rows or []),
        previous=_relative(pager.get_previous_link()),
        next=_relative(pager.get_next_link()),
    )


def _relative(address: str | None) -> str:
    """The query alone: behind a proxy the host and scheme are not ours to know."""
    return f"/contacts?{urlsplit(address).query}" if address else ""
