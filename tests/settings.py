"""The product's settings, on an engine that can take back what a test did in every place."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES

DATABASES["default"]["ENGINE"] = "tests.engine"
WEB_PROCESS_FLUSHES = False
