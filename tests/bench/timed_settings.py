"""Plaza's own settings with a clock around the gate's decision, told in a header."""

from config.settings import *  # noqa: F403
from config.settings import MIDDLEWARE as _SHIPPED

MIDDLEWARE = [
    "tests.bench.timed_gate.TimedGate" if each == "quotas.middleware.Gate" else each
    for each in _SHIPPED
]
