"""The square's own pages."""

from django.urls import path

from apps.portal.views import credentials, language, reference, square

urlpatterns = [
    path("", square.landing, name="landing"),
    path("signup", square.sign_up, name="sign-up-page"),
    path("signup/slug", square.slug_state, name="sign-up-slug"),
    path("reference", reference.reference, name="reference"),
    path("password-reset", credentials.ask, name="password-reset-page"),
    path("password-reset/confirm", credentials.choose, name="password-reset-confirm-page"),
    path("i18n/setlang", language.choose, name="set_language"),
]
