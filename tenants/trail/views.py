"""`/audit-events`: the tenant's trail, for its owner and admins."""

from collections.abc import Mapping
from typing import Any

from django.db.models import QuerySet
from django.http import HttpResponseBase, StreamingHttpResponse
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request

from config.api import View, ViewSet
from config.needs import Feature, Needs, Permission
from tenants.trail.exporting import CSV, LINES, Kind, begin
from tenants.trail.filters import TrailFilter
from tenants.trail.models import TrailEvent
from tenants.trail.serializers import AuditEventOut

NEEDS = Needs(read=Permission.AUDIT_READ)


class AuditEvents(mixins.ListModelMixin, ViewSet):
    """Who did what, when and from where; the newest first. An act is listed within 10 seconds.

    `before` and `after` hold the changed fields, secrets and personal data masked. `number` runs
    without a gap, and `digest` chains each row to the one before it.
    """

    needs = NEEDS
    queryset = TrailEvent.objects.none()
    serializer_class = AuditEventOut
    filterset_class = TrailFilter
    ordering_fields = ("-number",)

    def get_queryset(self) -> QuerySet[TrailEvent]:
        rows: QuerySet[TrailEvent] = TrailEvent.objects.all()
        return rows


class _Renderer(BaseRenderer):
    """Lets a client ask for the kind; the view streams the file itself, refusals stay problem+json."""

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


class _CsvRenderer(_Renderer):
    media_type, format = "text/csv", "csv"


class _LinesRenderer(_Renderer):
    media_type, format = "application/x-ndjson", "ndjson"


class _Export(View):
    needs = Needs(feature=Feature.AUDIT_EXPORT, read=Permission.AUDIT_EXPORT, deferrable=True)


class AuditExportCsv(_Export):
    """The trail as CSV, the oldest first, under the filters of the list; cells run no formula."""

    renderer_classes = (JSONRenderer, _CsvRenderer)

    @extend_schema(operation_id="audit_export_csv", responses={(200, "text/csv"): OpenApiTypes.STR})
    def get(self, request: Request) -> HttpResponseBase:
        return exported(request.query_params, CSV)


class AuditExportLines(_Export):
    """The trail as one JSON object a line, the oldest first, under the filters of the list."""

    renderer_classes = (JSONRenderer, _LinesRenderer)

    @extend_schema(
        operation_id="audit_export_ndjson",
        responses={(200, "application/x-ndjson"): OpenApiTypes.STR},
    )
    def get(self, request: Request) -> HttpResponseBase:
        return exported(request.query_params, LINES)


def exported(asked: Mapping[str, str], kind: Kind) -> HttpResponseBase:
    """The answer that streams it; also the portal's."""
    answer = StreamingHttpResponse(
        begin(asked, kind), content_type=f"{kind.content_type}; charset=utf-8"
    )
    answer["Content-Disposition"] = f'attachment; filename="audit-trail.{kind.ending}"'
    answer["Cache-Control"] = "private, no-store"
    return answer
