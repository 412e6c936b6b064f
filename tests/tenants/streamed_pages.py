"""A URLconf whose pages are made while they are sent: by the time the middleware has returned."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from asgiref.sync import sync_to_async
from django.core.files.uploadhandler import TemporaryFileUploadHandler
from django.db import connection
from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.urls import path

from config.context import current_tenant
from config.needs import Needs, needs

_OPEN = Needs(public=True)
CLOSED: list[str] = []


def whoami() -> str:
    """`<slug> <role> <schema>` of this moment."""
    tenant = current_tenant()
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_user::text || ' ' || current_schema()::text")
        return f"{tenant.slug if tenant else 'nobody'} {cursor.fetchone()[0]}"


@needs(_OPEN)
def streamed(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        try:
            for _ in range(3):
                yield f"{whoami()}\n"
        finally:
            CLOSED.append(whoami())

    return StreamingHttpResponse(parts())


@needs(_OPEN)
def streamed_async(request: HttpRequest) -> StreamingHttpResponse:
    async def parts() -> AsyncIterator[str]:
        for _ in range(3):
            yield f"{await sync_to_async(whoami)()}\n"

    return StreamingHttpResponse(parts())


@needs(_OPEN)
def uploaded(request: HttpRequest) -> HttpResponse:
    """The name of the temporary file of an upload."""
    own: Any = [h for h in request.upload_handlers if isinstance(h, TemporaryFileUploadHandler)]
    request.upload_handlers = own
    return HttpResponse(request.FILES["file"].temporary_file_path())  # type: ignore[union-attr]


@needs(_OPEN)
def counted(request: HttpRequest) -> HttpResponse:
    """How often this browser was here, by its session."""
    request.session["visits"] = request.session.get("visits", 0) + 1
    return HttpResponse(str(request.session["visits"]))


urlpatterns = [
    path("streamed", streamed),
    path("streamed-async", streamed_async),
    path("uploaded", uploaded),
    path("counted", counted),
]
