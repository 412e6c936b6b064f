"""A tenant's subscription and its exports, under `/api/v1/` on its own host."""

from django.urls import path

from billing.views import (
    changes,
    costs,
    exports,
    invitations,
    invoices,
    members,
    methods,
    persons,
    seats,
    stall,
)

urlpatterns = [
    path("subscription", stall.Subscription.as_view(), name="subscription"),
    path(
        "subscription/preview", changes.SubscriptionPreview.as_view(), name="subscription-preview"
    ),
    path("subscription/change", changes.SubscriptionChange.as_view(), name="subscription-change"),
    path("subscription/cancel", changes.SubscriptionCancel.as_view(), name="subscription-cancel"),
    path("subscription/resume", changes.SubscriptionResume.as_view(), name="subscription-resume"),
    path("coupons/redeem", changes.CouponRedeem.as_view(), name="coupon-redeem"),
    path("me/personal-data", persons.MyData.as_view(), name="my-data"),
    path("members/leave", members.Leave.as_view(), name="leave"),
    path("members/<uuid:pk>", members.MemberDetail.as_view(), name="member"),
    path("ownership/transfer", members.Ownership.as_view(), name="ownership-transfer"),
    path(
        "invitations",
        invitations.Invitations.as_view({"get": "list", "post": "create"}),
        name="invitations",
    ),
    path("invitations/<uuid:pk>", invitations.InvitationDetail.as_view(), name="invitation"),
    path(
        "invitations/<uuid:pk>/resend",
        invitations.InvitationResend.as_view(),
        name="invitation-resend",
    ),
    path("seats", seats.Seats.as_view(), name="seats"),
    path("seats/accept", seats.SeatAccept.as_view(), name="seat-accept"),
    path("seats/<uuid:pk>", seats.Seat.as_view(), name="seat"),
    path("usage/what-if", stall.WhatIf.as_view(), name="usage-what-if"),
    path("costs", costs.Costs.as_view(), name="costs"),
    path("checkout", stall.Checkout.as_view(), name="checkout"),
    path("billing-portal", stall.BillingPortal.as_view(), name="billing-portal"),
    path("invoices", invoices.Invoices.as_view({"get": "list"}), name="invoices"),
    path("invoices/<uuid:pk>", invoices.InvoiceDetail.as_view(), name="invoice"),
    path("invoices/<uuid:pk>.pdf", invoices.InvoicePdf.as_view(), name="invoice-pdf"),
    path("credit-notes/<uuid:pk>.pdf", invoices.CreditNotePdf.as_view(), name="credit-note-pdf"),
    path("credits", invoices.Credits.as_view({"get": "list"}), name="credits"),
    path("tax-profile", invoices.TaxProfile.as_view(), name="tax-profile"),
    path("payment-methods", methods.PaymentMethods.as_view(), name="payment-methods"),
    path(
        "payment-methods/default",
        methods.PaymentMethodDefault.as_view(),
        name="payment-method-default",
    ),
    path(
        "payment-methods/remove",
        methods.PaymentMethodRemoval.as_view(),
        name="payment-method-remove",
    ),
    path("exports", exports.Exports.as_view({"get": "list", "post": "create"}), name="exports"),
    path("exports/<uuid:pk>", exports.ExportDetail.as_view(), name="export"),
    path("exports/<uuid:pk>/download", exports.ExportDownload.as_view(), name="export-download"),
]
