"""`/openapi.json` and Swagger UI at `/docs`, from files of our own host: the square's and a tenant's."""

from typing import Any, ClassVar

from django.http import HttpResponse
from django.urls import URLPattern, path
from django.utils.translation import get_language
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.utils import extend_schema
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView
from rest_framework.request import Request
from rest_framework.response import Response

from config.needs import Needs

_OPEN = Needs(public=True, critical=True, meter=None)


class Schema(SpectacularAPIView):
    """The document, made once for each language in each process: it takes a tenth of a second."""

    needs = _OPEN
    renderer_classes: Any = [OpenApiJsonRenderer]
    permission_classes: Any = []
    made: ClassVar[dict[tuple[Any, str], bytes]] = {}

    @extend_schema(exclude=True)
    def get(self, request: Request, *args: Any, **kwargs: Any) -> Any:
        key = (self.urlconf, get_language() or "")
        if key not in self.made:
            # Not `super().get`: what it takes from the query (`?lang=`) would be kept for everybody.
            made: Response = self._get_schema_response(request)  # type: ignore[no-untyped-call]
            renderer = OpenApiJsonRenderer()
            self.made[key] = renderer.render(made.data, renderer_context={})
        return HttpResponse(self.made[key], content_type=OpenApiJsonRenderer.media_type)

    def _get_version_parameter(self, request: Request) -> None:
        """There is one version; `?version=` would be written into the kept document."""


class Docs(SpectacularSwaggerSplitView):
    needs = _OPEN
    title = "Plaza API"
    template_name = "docs.html"
    permission_classes: Any = []


def docs_of(urlconf: str) -> list[URLPattern]:
    """The two addresses that document `urlconf`."""
    return [
        path("openapi.json", Schema.as_view(urlconf=urlconf), name="openapi"),
        path("docs", Docs.as_view(url_name="openapi"), name="docs"),
    ]
