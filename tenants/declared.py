"""What every installed package declares under one name, wherever it lies: upper floors add to lower ones."""

from functools import cache
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from django.apps import apps


@cache
def declared_in(module: str, name: str) -> tuple[Any, ...]:
    """The items of `<package>.<module>.<name>` of each installed package that has such a module, in order."""
    found: list[Any] = []
    for config in apps.get_app_configs():
        if find_spec(f"{config.name}.{module}") is not None:
            found.extend(getattr(import_module(f"{config.name}.{module}"), name, ()))
    return tuple(found)
