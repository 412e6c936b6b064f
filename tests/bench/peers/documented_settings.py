"""The documented peer: django-tenants as its documentation sets it up; the same view, no gate."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES as _DATABASES
from config.settings import SHARED_APPS as _SHARED

SHARED_APPS = [*_SHARED, "rest_framework.authtoken"]
TENANT_APPS = ["apps.crm"]
INSTALLED_APPS = [*SHARED_APPS, *TENANT_APPS]
MIDDLEWARE = [
    "django_tenants.middleware.main.TenantMainMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
]
ROOT_URLCONF = PUBLIC_SCHEMA_URLCONF = "tests.bench.peers.urls"
SHOW_PUBLIC_IF_NO_TENANT_FOUND = True
TENANT_LIMIT_SET_CALLS = False
PG_EXTRA_SEARCH_PATHS = ["ext"]
DATABASES = {
    "default": {
        **_DATABASES["default"],
        "ENGINE": "django_tenants.postgresql_backend",
        "CONN_MAX_AGE": 0,
        "CONN_HEALTH_CHECKS": False,
    }
}
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["rest_framework.authentication.TokenAuthentication"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
}
SILENCED_SYSTEM_CHECKS = ["django_ratelimit.W001", "plaza.E001"]
