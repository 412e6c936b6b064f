from django.urls import include, path
from rest_framework.routers import SimpleRouter

from apps.campaigns.services.lifecycle import Verb
from apps.campaigns.views.campaigns import (
    CampaignStatus,
    CampaignViewSet,
    MoveCampaign,
    ScheduleCampaign,
)
from apps.campaigns.views.mailings import (
    CampaignAudience,
    CampaignLetter,
    CampaignMailing,
    RecipientViewSet,
)

router = SimpleRouter(trailing_slash=False, use_regex_path=False)
router.register("campaigns", CampaignViewSet, basename="campaign")

urlpatterns = [
    path("", include(router.urls)),
    path("campaigns/<uuid:pk>/status", CampaignStatus.as_view(), name="campaign-status"),
    path("campaigns/<uuid:pk>/schedule", ScheduleCampaign.as_view(), name="campaign-schedule"),
    path("campaigns/<uuid:pk>/letter", CampaignLetter.as_view(), name="campaign-letter"),
    path("campaigns/<uuid:pk>/mailing", CampaignMailing.as_view(), name="campaign-mailing"),
    path("campaigns/<uuid:pk>/audience", CampaignAudience.as_view(), name="campaign-audience"),
    path(
        "campaigns/<uuid:campaign_id>/recipients",
        RecipientViewSet.as_view({"get": "list"}),
        name="campaign-recipients",
    ),
    *[
        path(
            f"campaigns/<uuid:pk>/{verb.value}",
            MoveCampaign.as_view(verb=verb),
            name=f"campaign-{verb.value}",
        )
        for verb in Verb
        if verb is not Verb.SCHEDULE
    ],
]
