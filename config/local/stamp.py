"""Whether `manage.py setup` has anything to do: asked without starting Django, which takes seconds."""

import hashlib

from config.fingerprint import release_fingerprint
from config.local.files import write_whole
from config.local.home import Home
from config.local.plan import Plan

# What the demo's rows hold besides what the release decides, where the plans' prices are made, and
# how the database's roles sign in and its functions are sealed.
_SHAPING = (
    "PLAZA_ENV",
    "PLAZA_DOMAIN",
    "PLAZA_DEMO_PASSWORD",
    "STRIPE_API_KEY",
    "STRIPE_API_BASE",
    "PAYPAL_CLIENT_ID",
    "PAYPAL_API_BASE",
    "PLAZA_CITUS",
    "PLAZA_DB_KEY",
    "PLAZA_DB_LOGIN",
    "SECRET_KEY",
)


def stamp_of(plan: Plan) -> str:
    """Return a digest of the files and variables that decide what set-up does."""
    environment = plan.environment()
    told = [release_fingerprint(), *(f"{name}={environment.get(name, '')}" for name in _SHAPING)]
    return hashlib.sha256("\n".join(told).encode()).hexdigest()


def is_set_up(plan: Plan, stamp: str) -> bool:
    """Only of an embedded database do we know that nobody else changed it."""
    kept = plan.wish.home.setup_stamp
    return plan.postgres is not None and kept.exists() and kept.read_text() == stamp


def remember(home: Home, stamp: str) -> None:
    write_whole(home.setup_stamp, stamp)
