"""`/imports`: a file in, progress while it runs, what was refused as a file out."""

import csv
import io
from typing import Any
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.parsers import MultiPartParser
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import ImportFilter
from apps.crm.models import Import
from apps.crm.serializers.imports import ForecastOut, ImportIn, ImportOut, ResumeIn, wishes_of
from apps.crm.services import lists
from apps.crm.services.imports import jobs
from apps.crm.services.imports.staging import ERRORS_KEPT
from config.api import ViewSet, parse, problem_response
from config.cells import disarmed
from config.errors import PayloadTooLarge
from config.needs import Feature, Needs, Permission
from config.parsers import JSONBody
from config.personal import refuse_hidden
from tenants.identity.caller import caller_of

# What a multipart body holds besides its file.
_ENVELOPE_BYTES = 1 << 20


class CsvRenderer(BaseRenderer):
    """Lets a client ask for text/csv; the view writes the file itself, refusals stay problem+json."""

    media_type = "text/csv"
    format = "csv"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


class ImportViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Files on their way into contacts and orders."""

    needs = Needs(
        feature=Feature.IMPORTS,
        read=Permission.IMPORTS_READ,
        write=Permission.IMPORTS_WRITE,
        deferrable=True,
    )
    queryset = Import.objects.all()
    serializer_class = ImportOut
    filterset_class = ImportFilter
    ordering_fields = ("-id",)
    lookup_value_converter = "uuid"
    parser_classes = (MultiPartParser, JSONBody)

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        # Before the body is read: a file that is refused for its size need not arrive.
        limit = settings.PLAZA_UPLOAD_LIMIT_BYTES
        length = request.headers.get("Content-Length", "")
        if length.isdecimal() and int(length) > limit + _ENVELOPE_BYTES:
            return problem_response(PayloadTooLarge(limit_bytes=limit))
        return super().dispatch(request, *args, **kwargs)

    @extend_schema(
        request={"multipart/form-data": ImportIn}, responses={202: ImportOut, 200: ForecastOut}
    )
    def create(self, request: Request) -> Response:
        """Import a CSV or XLSX file of contacts, or of purchases with their contacts.

        402 `quota_exceeded`, with nothing imported, when the plan has no room for all the contacts
        in it, unless `allow_partial` is sent. `dry_run` answers 200 with what would happen.
        """
        values = parse(ImportIn, request.data)
        file = values["file"]
        upload = jobs.Upload(file=file.file, name=file.name, size=file.size)
        wishes = wishes_of(values)
        if values["dry_run"]:
            forecast = jobs.forecast(upload=upload, wishes=wishes, now=timezone.now())
            return Response(ForecastOut(forecast).data)
        job = jobs.start(
            upload=upload,
            wishes=wishes,
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return self._answer(job, status=202)

    @extend_schema(request=None, responses=ImportOut)
    @action(detail=True, methods=["post"])
    def cancel(self, request: Request, pk: UUID) -> Response:
        """Stop; what is imported stays. For 30 days `resume` goes on with the rest."""
        return self._answer(jobs.cancel(import_id=pk, now=timezone.now()))

    @extend_schema(request=ResumeIn, responses={202: ImportOut})
    @action(detail=True, methods=["post"])
    def resume(self, request: Request, pk: UUID) -> Response:
        """Go on where the import stopped: after an upgrade, a failure, or `cancel`."""
        wish = parse(ResumeIn, request.data)
        job = jobs.resume(import_id=pk, allow_partial=wish["allow_partial"], now=timezone.now())
        return self._answer(job, status=202)

    @extend_schema(responses={(200, "text/csv"): OpenApiTypes.STR})
    @action(detail=True, methods=["get"], renderer_classes=[JSONRenderer, CsvRenderer])
    def errors(self, request: Request, pk: UUID) -> HttpResponse:
        """The refused rows as CSV: row, reasons, and the cells, to be mended and sent again."""
        refuse_hidden()
        job = lists.import_named(pk)
        answer = HttpResponse(_errors_csv(job), content_type="text/csv; charset=utf-8")
        answer["Content-Disposition"] = f'attachment; filename="import-{pk}-errors.csv"'
        return answer

    def _answer(self, job: Import, status: int = 200) -> Response:
        return Response(self.get_serializer(job).data, status=status)


def _errors_csv(job: Import) -> str:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["row", "reasons", *map(disarmed, job.columns)])
    for error in lists.refused_rows(job.pk, most=ERRORS_KEPT):
        cells = [str(error.row_number), "; ".join(error.reasons), *error.raw]
        writer.writerow(map(disarmed, cells))
    return out.getvalue()
