"""Sign-up and the catalogue, under `/api/v1/` on the square."""

from django.urls import path

from billing.views import square

urlpatterns = [
    path("signup", square.SignUp.as_view(), name="sign-up"),
    path("signup/status/<uuid:tenant_id>", square.SignUpStatus.as_view(), name="sign-up-status"),
    path("plans", square.Plans.as_view(), name="plans"),
]
