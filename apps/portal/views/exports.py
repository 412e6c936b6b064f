"""Exports: take all of the tenant's data along, for its owner and admins."""

from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django_htmx.http import HttpResponseClientRefresh

from apps.portal.export_rows import row_of
from apps.portal.pages import page
from billing.views import exports as api
from config.context import Place, require_tenant
from tenants import archives

_SHOWN = 25


@page(api.NEEDS, "GET", "POST", place=Place.SQUARE)
def exports(request: HttpRequest) -> HttpResponse:
    """`/exports`: the newest ones; posted, one more."""
    if request.method == "POST":
        api.begin(request)
        return HttpResponseRedirect("/exports")
    found = archives.exports_of(require_tenant().id, now=timezone.now()).order_by("-id")[:_SHOWN]
    rows = [row_of(made) for made in found]
    facts = {
        "here": "plan",
        "exports": rows,
        "is_moving": any(row.is_moving for row in rows),
        "days": settings.PLAZA_EXPORT_DAYS,
    }
    return render(request, "portal/exports.html", facts)


@page(api.NEEDS, "GET", place=Place.SQUARE)
def row(request: HttpRequest, archive_id: UUID) -> HttpResponse:
    """`/exports/<id>/row`: one row of the table, which asks for itself again; a reload once the export rests."""
    found = archives.export_named(
        tenant_id=require_tenant().id, archive_id=archive_id, now=timezone.now()
    )
    export = row_of(found)
    if not export.is_moving:
        return HttpResponseClientRefresh()
    return render(request, "portal/parts/export_row.html", {"export": export})


@page(api.DOWNLOAD, "GET", place=Place.SQUARE)
def download(request: HttpRequest, archive_id: UUID) -> HttpResponse:
    """`/exports/<id>/download`: the archive, for a browser."""
    return api.download(request, archive_id)
