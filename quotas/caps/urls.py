"""The spend cap, under /api/v1/."""

from django.urls import path

from quotas.caps.views import SpendCap

urlpatterns = [path("spend-cap", SpendCap.as_view(), name="spend-cap")]
