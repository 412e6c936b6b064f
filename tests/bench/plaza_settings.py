"""Plaza's own settings, unchanged: the benchmark measures what is shipped."""

from config.settings import *  # noqa: F403
