"""A tenant's subscription, under `/api/v1/` on its own host."""

from django.urls import path

from billing.views import stall

urlpatterns = [
    path("subscription", stall.Subscription.as_view(), name="subscription"),
    path("subscription/change", stall.SubscriptionChange.as_view(), name="subscription-change"),
    path("checkout", stall.Checkout.as_view(), name="checkout"),
    path("billing-portal", stall.BillingPortal.as_view(), name="billing-portal"),
]
