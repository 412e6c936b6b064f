"""A tenant's own domains, under /api/v1/."""

from django.urls import path

from tenants.views import DomainDetail, DomainProof, Domains

urlpatterns = [
    path("domains", Domains.as_view({"get": "list", "post": "create"}), name="domains"),
    path("domains/<uuid:pk>", DomainDetail.as_view(), name="domain"),
    path("domains/<uuid:pk>/verify", DomainProof.as_view(), name="domain-verify"),
]
