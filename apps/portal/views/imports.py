"""Imports: upload, watch, see what was refused."""

from typing import BinaryIO, cast
from uuid import UUID

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.shortcuts import render
from django.utils import timezone
from django.utils.translation import gettext as _

from apps.crm.services import lists
from apps.crm.services.imports import jobs
from apps.portal.forms import ImportForm
from apps.portal.import_rows import recent_imports, row_of
from apps.portal.pages import page
from config.errors import ValidationFailed
from config.needs import Feature, Needs, Permission
from quotas.refusals import QuotaExceeded
from tenants.identity.caller import caller_of

_IMPORTS = Needs(
    feature=Feature.IMPORTS,
    read=Permission.IMPORTS_READ,
    write=Permission.IMPORTS_WRITE,
    meter=None,
)
_SHOWN = 25
_SHOWN_ERRORS = 500


@page(_IMPORTS, "GET", "POST")
def imports(request: HttpRequest) -> HttpResponse:
    """`/imports`: the newest ones; posted with `file`, one more. Beyond the plan: told above the form."""
    if request.method != "POST":
        return _list(request, ImportForm(), status=200)
    form = ImportForm(request.POST, request.FILES)
    form.full_clean()
    try:
        _start(request, allow_partial=bool(form.cleaned_data.get("allow_partial")))
    except ValidationFailed as refused:
        form.refuse(refused)
        return _list(request, form, status=refused.status)
    except QuotaExceeded as refused:
        return _list(request, form, status=refused.status, refused=refused)
    return HttpResponseRedirect("/imports")


def _start(request: HttpRequest, *, allow_partial: bool) -> None:
    file = request.FILES.get("file")
    if not isinstance(file, UploadedFile) or file.file is None:
        raise ValidationFailed(errors={"file": [_("Choose a file.")]})
    jobs.start(
        upload=jobs.Upload(
            file=cast("BinaryIO", file.file), name=file.name or "", size=file.size or 0
        ),
        wishes=jobs.Wishes(allow_partial=allow_partial),
        by_id=caller_of(request).person_id,
        now=timezone.now(),
    )


def _list(
    request: HttpRequest, form: ImportForm, *, status: int, refused: QuotaExceeded | None = None
) -> HttpResponse:
    facts = {
        "here": "imports",
        "form": form,
        "refused": refused,
        "imports": recent_imports(most=_SHOWN),
        "may_import": _may_import(request),
    }
    return render(request, "portal/imports.html", facts, status=status)


def _may_import(request: HttpRequest) -> bool:
    return _IMPORTS.write in caller_of(request).permissions


@page(_IMPORTS, "GET")
def row(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """`/imports/<id>/row`: one row of the table; it asks for itself again until the import rests."""
    facts = {"job": row_of(lists.import_named(import_id)), "may_import": _may_import(request)}
    return render(request, "portal/parts/import_row.html", facts)


@page(_IMPORTS, "POST")
def resume(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """`/imports/<id>/resume`: go on with what was left out."""
    jobs.resume(import_id=import_id, now=timezone.now())
    return HttpResponseRedirect("/imports")


@page(_IMPORTS, "POST")
def cancel(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """`/imports/<id>/cancel`: stop after the batch under way; what is merged stays."""
    jobs.cancel(import_id=import_id, now=timezone.now())
    return HttpResponseRedirect("/imports")


@page(_IMPORTS, "GET")
def errors(request: HttpRequest, import_id: UUID) -> HttpResponse:
    """`/imports/<id>/errors`: the first refused rows, and why. The API has all of them as a file."""
    facts = {
        "here": "imports",
        "job": row_of(lists.import_named(import_id)),
        "rows": lists.refused_rows(import_id, most=_SHOWN_ERRORS),
    }
    return render(request, "portal/import_errors.html", facts)
