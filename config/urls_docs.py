"""`/openapi.json` and Swagger UI at `/docs`, from files of our own host."""

from typing import Any

from django.urls import path
from drf_spectacular.renderers import OpenApiJsonRenderer
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerSplitView

from config.needs import Needs

_OPEN = Needs(public=True, critical=True, meter=None)


class Schema(SpectacularAPIView):
    needs = _OPEN
    renderer_classes: Any = [OpenApiJsonRenderer]
    permission_classes: Any = []


class Docs(SpectacularSwaggerSplitView):
    needs = _OPEN
    permission_classes: Any = []


urlpatterns = [
    path("openapi.json", Schema.as_view(urlconf="config.urls_tenant"), name="openapi"),
    path("docs", Docs.as_view(url_name="openapi"), name="docs"),
]
