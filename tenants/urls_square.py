"""The tenants' page on the square: the numbers of all of them."""

from django.urls import path

from tenants.metrics import metrics

urlpatterns = [path("metrics", metrics, name="metrics")]
