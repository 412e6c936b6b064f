"""Usage alerts and forecasts, under /api/v1/."""

from django.urls import path

from quotas.alerts.views import UsageAlerts, UsageAlertSetting, UsageForecast

urlpatterns = [
    path("usage/forecast", UsageForecast.as_view(), name="usage-forecast"),
    path("usage/alerts", UsageAlerts.as_view(), name="usage-alerts"),
    path("usage/alerts/<slug:meter>", UsageAlertSetting.as_view(), name="usage-alert-setting"),
]
