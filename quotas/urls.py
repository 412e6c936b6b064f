from django.urls import path

from quotas.views import (
    Entitlements,
    Explain,
    Usage,
    UsageEventBatch,
    UsageEventByKey,
    UsageEventCorrections,
    UsageEventViewSet,
)

_EVENTS = UsageEventViewSet.as_view({"get": "list", "post": "create"})

urlpatterns = [
    path("usage", Usage.as_view(), name="usage"),
    path("usage/explain", Explain.as_view(), name="usage-explain"),
    path("entitlements", Entitlements.as_view(), name="entitlements"),
    path("usage-events", _EVENTS, name="usage-events"),
    path("usage-events/batch", UsageEventBatch.as_view(), name="usage-events-batch"),
    # A key may hold slashes.
    path("usage-events/<path:key>/corrections", UsageEventCorrections.as_view()),
    path("usage-events/<path:key>", UsageEventByKey.as_view(), name="usage-event"),
]
