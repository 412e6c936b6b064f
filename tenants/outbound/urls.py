"""A tenant's webhooks, under /api/v1/."""

from django.urls import path

from tenants.outbound.views import (
    WebhookDeliveries,
    WebhookEndpointDetail,
    WebhookEndpoints,
    WebhookRedelivery,
    WebhookSecret,
)

urlpatterns = [
    path(
        "webhook-endpoints",
        WebhookEndpoints.as_view({"get": "list", "post": "create"}),
        name="webhook-endpoints",
    ),
    path("webhook-endpoints/<uuid:pk>", WebhookEndpointDetail.as_view(), name="webhook-endpoint"),
    path("webhook-endpoints/<uuid:pk>/rotate", WebhookSecret.as_view(), name="webhook-rotate"),
    path(
        "webhook-deliveries", WebhookDeliveries.as_view({"get": "list"}), name="webhook-deliveries"
    ),
    path(
        "webhook-deliveries/<uuid:pk>/redeliver",
        WebhookRedelivery.as_view(),
        name="webhook-redelivery",
    ),
]
