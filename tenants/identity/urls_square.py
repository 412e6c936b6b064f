"""Identity on the square: the key set of access tokens, and the pages to the OpenID provider and back."""

from django.urls import path

from tenants.identity.views import openid
from tenants.identity.views.key_set import KeySet

urlpatterns = [
    path(".well-known/jwks.json", KeySet.as_view(), name="key-set"),
    path("login/openid", openid.depart, name="openid-depart"),
    path("login/openid/callback", openid.come_back, name="openid-callback"),
    path("login/openid/link", openid.confirm_link, name="openid-link"),
]
