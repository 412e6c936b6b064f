"""A tenant's subscription and its exports, under `/api/v1/` on its own host."""

from django.urls import path

from billing.views import exports, seats, stall

urlpatterns = [
    path("subscription", stall.Subscription.as_view(), name="subscription"),
    path("subscription/change", stall.SubscriptionChange.as_view(), name="subscription-change"),
    path("seats", seats.Seats.as_view(), name="seats"),
    path("seats/accept", seats.SeatAccept.as_view(), name="seat-accept"),
    path("seats/<uuid:pk>", seats.Seat.as_view(), name="seat"),
    path("usage/what-if", stall.WhatIf.as_view(), name="usage-what-if"),
    path("checkout", stall.Checkout.as_view(), name="checkout"),
    path("billing-portal", stall.BillingPortal.as_view(), name="billing-portal"),
    path("exports", exports.Exports.as_view({"get": "list", "post": "create"}), name="exports"),
    path("exports/<uuid:pk>", exports.ExportDetail.as_view(), name="export"),
    path("exports/<uuid:pk>/download", exports.ExportDownload.as_view(), name="export-download"),
]
