"""Plaza's settings without the wall (tests/bench/open_engine)."""

from config.settings import *  # noqa: F403
from config.settings import DATABASES

DATABASES["default"] |= {"ENGINE": "tests.bench.open_engine", "CONN_MAX_AGE": None}
