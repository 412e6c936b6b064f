"""The only reader of the environment. A wrong value stops the start, by name.

Values come from the process's environment first; what is unset there comes from
`environment.json`, which `make up` writes while its embedded servers run.
"""

import json
import os
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from django.core.exceptions import ImproperlyConfigured

REPOSITORY = Path(__file__).resolve().parent.parent
_REQUIRED: Any = object()
_TRUE = frozenset({"1", "true", "yes", "on"})
_FALSE = frozenset({"0", "false", "no", "off", ""})


@dataclass(frozen=True, slots=True)
class Variable:
    """One documented variable: the README's table is checked against these."""

    name: str
    meaning: str
    default: str


DECLARED: dict[str, Variable] = {}


@cache
def _embedded() -> dict[str, str]:
    home = Path(os.environ.get("PLAZA_HOME", REPOSITORY / ".plaza"))
    try:
        text = (home / "environment.json").read_text()
    except (FileNotFoundError, NotADirectoryError, PermissionError):
        return {}
    return dict(json.loads(text))


def _raw(name: str) -> str | None:
    return os.environ.get(name, _embedded().get(name))


def _declare(name: str, meaning: str, default: Any) -> str | None:
    shown = "required" if default is _REQUIRED else str(default)
    DECLARED[name] = Variable(name, meaning, shown)
    value = _raw(name)
    if value is None and default is _REQUIRED:
        raise ImproperlyConfigured(
            f"{name} is not set: {meaning} `make up` sets it for the embedded servers."
        )
    return value


def text(name: str, meaning: str, *, default: Any = _REQUIRED) -> str:
    value = _declare(name, meaning, default)
    return str(default) if value is None else value


def secret(name: str, meaning: str, *, default: Any = _REQUIRED, least: int = 1) -> str:
    """A text never shown in an error. Shorter than `least` characters stops the start."""
    value = _declare(name, meaning, default if default is _REQUIRED else "")
    found = str(default) if value is None else value
    if value is not None and len(value) < least:
        raise ImproperlyConfigured(f"{name} must have at least {least} characters.")
    return found


def flag(name: str, meaning: str, *, default: bool) -> bool:
    value = _declare(name, meaning, default)
    if value is None:
        return default
    if value.lower() in _TRUE:
        return True
    if value.lower() in _FALSE:
        return False
    raise ImproperlyConfigured(f"{name} must be true or false, not {value!r}.")


def number(name: str, meaning: str, *, default: int, least: int = 0, most: int = 2**31) -> int:
    value = _declare(name, meaning, default)
    if value is None:
        return default
    if not re.fullmatch(r"-?[0-9]{1,18}", value.strip()) or not least <= int(value) <= most:
        raise ImproperlyConfigured(
            f"{name} must be a whole number from {least} to {most}, not {value!r}."
        )
    return int(value)


def choice(name: str, meaning: str, *, options: tuple[str, ...], default: str) -> str:
    value = _declare(name, meaning, default) or default
    if value not in options:
        raise ImproperlyConfigured(f"{name} must be one of {', '.join(options)}, not {value!r}.")
    return value


def words(name: str, meaning: str, *, default: str = "") -> list[str]:
    value = _declare(name, meaning, default)
    return [
        word.strip() for word in (default if value is None else value).split(",") if word.strip()
    ]


def url(name: str, meaning: str, *, schemes: tuple[str, ...], default: Any = _REQUIRED) -> str:
    """An address whose scheme is one of `schemes`; the error shows no password."""
    value = _declare(name, meaning, default)
    found = str(default) if value is None else value
    if found and not _is_address(found, schemes):
        raise ImproperlyConfigured(f"{name} must be an address of {' or '.join(schemes)}.")
    return found


def _is_address(address: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(address)
        _ = parts.port  # read here, for it is checked only when it is read
    except ValueError:
        return False
    return parts.scheme in schemes


def database(name: str, address: str) -> dict[str, Any]:
    """A `postgres://user:password@host:port/name` address as Django's settings."""
    parts = urlsplit(address)
    if not parts.path.strip("/"):
        raise ImproperlyConfigured(f"{name} names no database.")
    return {
        "NAME": unquote(parts.path.strip("/")),
        "USER": unquote(parts.username or ""),
        "PASSWORD": unquote(parts.password or ""),
        "HOST": parts.hostname or "",
        "PORT": str(parts.port or 5432),
    }
