"""The product's settings, on an engine that can take back what a test did in every place; and quick."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES
from config.settings import MIDDLEWARE as _SHIPPED

DATABASES["default"]["ENGINE"] = "tests.engine"
WEB_PROCESS_FLUSHES = False
PASSWORD_HASHERS = ["tests.hashes.QuickArgon2"]
MIDDLEWARE = [
    "tests.statics.FoundOnce" if each == "whitenoise.middleware.WhiteNoiseMiddleware" else each
    for each in _SHIPPED
]
