"""The plain peer: Django + DRF with token authentication over the same contacts; no tenant, no gate."""

import os

import django_stubs_ext

from config import env

# Models of ours are subscripted at run time, in every peer that reads them.
django_stubs_ext.monkeypatch()

SECRET_KEY = os.environ["SECRET_KEY"]
ALLOWED_HOSTS = ["*"]
USE_TZ = True
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "django_filters",
    "apps.crm",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = "tests.bench.peers.urls"
DATABASES = {
    "default": {
        "ENGINE": "django.db.backends.postgresql",
        **env.database("DATABASE_URL", os.environ["DATABASE_URL"]),
        "CONN_MAX_AGE": 60,
        "OPTIONS": {"options": "-c search_path=public,ext"},
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
