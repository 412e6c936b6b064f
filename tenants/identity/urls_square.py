"""Identity's pages on the square: to the OpenID provider and back."""

from django.urls import path

from tenants.identity.views import openid

urlpatterns = [
    path("login/openid", openid.depart, name="openid-depart"),
    path("login/openid/callback", openid.come_back, name="openid-callback"),
    path("login/openid/link", openid.confirm_link, name="openid-link"),
]
