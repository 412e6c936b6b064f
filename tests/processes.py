"""Other processes that work in this test's own database, on the product's engine."""

import os
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote

from django.conf import settings
from django.db import connection


def environment_here(**more: str) -> dict[str, str]:
    """The environment in which the product's settings find the test's database, by its three sign-ins."""
    return os.environ | {
        "DJANGO_SETTINGS_MODULE": "config.settings",
        "DATABASE_URL": _address(settings.DATABASE_WEB),
        "DATABASE_SQUARE_URL": _address(settings.DATABASE_SQUARE),
        "DATABASE_OWNER_URL": _address(settings.DATABASE_OWNER),
        **more,
    }


def _address(sign_in: Mapping[str, Any] | None) -> str:
    assert sign_in is not None
    password = quote(sign_in["PASSWORD"], safe="")
    where = f"{sign_in['HOST']}:{sign_in['PORT']}/{connection.settings_dict['NAME']}"
    return f"postgresql://{sign_in['USER']}:{password}@{where}"
