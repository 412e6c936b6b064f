"""The tenants' page on the square: the numbers of all of them."""

from django.urls import path

from tenants.metrics import metrics, platform_metrics

urlpatterns = [
    path("metrics", metrics, name="metrics"),
    path("metrics/platform", platform_metrics, name="platform-metrics"),
]
