"""Identity's pages at a tenant. The page `/login` itself is the portal's."""

from django.urls import path

from tenants.identity.views import openid

urlpatterns = [
    path("login/openid", openid.set_out, name="openid-set-out"),
    path("login/crossing", openid.arrive, name="openid-arrive"),
]
