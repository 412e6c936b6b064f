from django.urls import path

from quotas.views import Entitlements, Usage

urlpatterns = [
    path("usage", Usage.as_view(), name="usage"),
    path("entitlements", Entitlements.as_view(), name="entitlements"),
]
