"""The naive peer: django-tenants with psycopg's pool, flags by query, a quota row, django-ratelimit in Redis."""

from config.settings import REDIS_URL
from tests.bench.peers.documented_settings import *  # noqa: F403
from tests.bench.peers.documented_settings import DATABASES

ROOT_URLCONF = PUBLIC_SCHEMA_URLCONF = "tests.bench.peers.naive_urls"
DATABASES["default"]["OPTIONS"] = {
    **DATABASES["default"]["OPTIONS"],
    "pool": {"min_size": 4, "max_size": 16},
}
CACHES = {
    "default": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": REDIS_URL,
        "KEY_PREFIX": "naive",
    }
}
