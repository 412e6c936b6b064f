"""`/webhooks/…` on the square."""

from django.urls import path

from billing import webhooks

urlpatterns = [
    path("stripe", webhooks.stripe, name="webhook-stripe"),
    path("paypal", webhooks.paypal, name="webhook-paypal"),
]
