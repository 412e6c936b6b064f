from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.content.services.review import Verb
from apps.content.views import (
    BriefViewSet,
    Generate,
    PieceViewSet,
    ReviewBrief,
    ReviewPiece,
    TemplateViewSet,
)

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("briefs", BriefViewSet, basename="brief")
router.register("templates", TemplateViewSet, basename="template")
router.register("pieces", PieceViewSet, basename="piece")

urlpatterns = [
    path("", include(router.urls)),
    path("content/generate", Generate.as_view(), name="content-generate"),
    *[
        path(
            f"{noun}s/<uuid:pk>/{verb.value}",
            view.as_view(verb=verb),
            name=f"{noun}-{verb.value}",
        )
        for noun, view in (("brief", ReviewBrief), ("piece", ReviewPiece))
        for verb in Verb
    ],
]
