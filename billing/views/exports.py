"""`/exports`: all of a tenant's data as one archive, for its owner and admins, whatever else is refused.

Here, since an archive tells the plan. A download asks for credentials like every other answer: no
address is a key by itself.
"""

from dataclasses import replace
from typing import Any
from uuid import UUID

from django.core.files.storage import default_storage
from django.http import FileResponse, HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing.serializers import ExportOut
from billing.services.copies import request_export
from config.api import View, ViewSet
from config.context import Place, require_tenant
from config.errors import NotFound
from config.filters import NoFilters
from config.logs import logger
from config.needs import Needs, Permission
from config.personal import refuse_hidden
from tenants import archives
from tenants.identity.caller import caller_of, tenant_of
from tenants.identity.throttles import limited
from tenants.models import Archive
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)
# Whoever leaves, or is suspended, takes their data along.
NEEDS = Needs(
    read=Permission.EXPORTS_READ, write=Permission.EXPORTS_WRITE, critical=True, meter=None
)
DOWNLOAD = replace(NEEDS, read=Permission.EXPORTS_DOWNLOAD)
# Of a tenant: each reads all of its rows.
RATE = "20/d"


class ZipRenderer(BaseRenderer):
    """Lets a client ask for application/zip; the view streams the file itself, refusals stay problem+json."""

    media_type = "application/zip"
    format = "zip"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


class Exports(ViewSet):
    """The tenant's exports, newest first, until they are deleted (`expires_at`)."""

    needs = NEEDS
    place = Place.SQUARE
    serializer_class = ExportOut
    ordering_fields = ("-id",)
    filter_backends = (NoFilters,)

    @extend_schema(responses=ExportOut(many=True))
    def list(self, request: Request) -> Response:
        rows = archives.exports_of(require_tenant().id, now=timezone.now())
        page = self.paginate_queryset(self.filter_queryset(rows))
        return self.get_paginated_response(ExportOut(page, many=True).data)

    @extend_schema(request=None, responses={202: ExportOut})
    def create(self, request: Request) -> Response:
        """Begin an export. While one is queued or running, that one is answered: there is one at a time."""
        made = begin(request)
        answer = ExportOut(made).data
        return Response(answer, status=202, headers={"Location": f"/api/v1/exports/{made.pk}"})


class ExportDetail(View):
    """One export, and how far it is: `steps_done` of `steps_total`."""

    needs = NEEDS
    place = Place.SQUARE

    @extend_schema(operation_id="export", responses=ExportOut)
    def get(self, request: Request, pk: UUID) -> Response:
        found = archives.export_named(
            tenant_id=require_tenant().id, archive_id=pk, now=timezone.now()
        )
        return Response(ExportOut(found).data)


class ExportDownload(View):
    """The archive itself, as soon as the export is completed."""

    needs = DOWNLOAD
    place = Place.SQUARE
    renderer_classes = (JSONRenderer, ZipRenderer)

    @extend_schema(
        operation_id="export_download", responses={(200, "application/zip"): OpenApiTypes.BINARY}
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        return download(request, pk)


def begin(request: HttpRequest) -> Archive:
    """Promise an export to the person who asks. Raises PersonalDataHidden, RateLimited, ServiceUnavailable."""
    refuse_hidden()
    tenant = tenant_of(request)
    limited(request, group="exports", keys=["tenant", str(tenant.pk)], rate=RATE)
    by_id = caller_of(request).person_id
    return request_export(tenant_id=tenant.pk, by_id=by_id)


def download(request: HttpRequest, archive_id: UUID) -> HttpResponse:
    """The file, streamed. Raises PersonalDataHidden, and NotFound unless it is this tenant's, whole and there."""
    refuse_hidden()
    tenant = tenant_of(request)
    found = archives.export_named(tenant_id=tenant.pk, archive_id=archive_id, now=timezone.now())
    if found.status != Archive.Status.COMPLETED:
        raise NotFound()
    try:
        # The storage refuses whatever lies outside of this tenant's folder (config/files.py).
        file = default_storage.open(found.path)
    except FileNotFoundError as error:
        raise NotFound() from error
    record(Action.EXPORT_DOWNLOADED, Subject("export", found.pk), tenant_id=tenant.pk)
    by_id = caller_of(request).person_id
    log.info("export.downloaded", extra={"archive_id": str(found.pk), "person_id": str(by_id)})
    name = f"{tenant.slug}-{found.created_at:%Y-%m-%d}.zip"
    answer = FileResponse(file, as_attachment=True, filename=name, content_type="application/zip")
    answer["Cache-Control"] = "private, no-store"
    return answer  # type: ignore[return-value]  # Django's stubs: a streamed answer is one, too
