"""For how long a plan keeps what is old: `retention.toml`, beside the plans."""

import tomllib
from functools import cache
from itertools import pairwise
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from billing import catalogue

_FILE = Path(__file__).with_name("retention.toml")


@cache
def audit_days() -> dict[str, int]:
    """{plan: days}, in order of price. Raises ImproperlyConfigured where a plan has none, or less than a cheaper one."""
    stated = tomllib.loads(_FILE.read_text())["audit_days"]
    plans = [plan.key for plan in catalogue.plans()]
    if sorted(stated) != sorted(plans):
        raise ImproperlyConfigured(f"retention.toml: audit_days for each of {', '.join(plans)}.")
    days = {plan: int(stated[plan]) for plan in plans}
    if min(days.values()) < 1 or any(one > other for one, other in pairwise(days.values())):
        raise ImproperlyConfigured("retention.toml: audit_days from 1, a dearer plan never less.")
    return days
