from django.urls import path

from quotas.views import Entitlements, Explain, Usage

urlpatterns = [
    path("usage", Usage.as_view(), name="usage"),
    path("usage/explain", Explain.as_view(), name="usage-explain"),
    path("entitlements", Entitlements.as_view(), name="entitlements"),
]
