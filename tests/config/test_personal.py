"""Every column that holds something personal is declared, and every table that has one is erased and exported."""

import re
from typing import Any

from django.apps import apps

from config.personal import declared_personal
from tests.test_house import OURS

_SOUNDS_PERSONAL = re.compile(r"(^|_)(email|phone|first_name|last_name)$")
# What erases and exports them: apps/crm/services/privacy/subjects.py; billing/services/persons.py.
_ERASED = {
    "Contact",
    "ImportRow",
    "ImportRowError",
    "PrivacyRequest",
    "Invitation",
    "Note",
    "Person",
    "MailedProof",
    "SignIn",
    "Task",
}


def our_models() -> list[Any]:
    return [
        model
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in OURS
        for model in config.get_models()
    ]


def test_a_column_that_sounds_personal_is_declared_where_it_stands():
    undeclared = {
        f"{model.__name__}.{field.name}"
        for model in our_models()
        for field in model._meta.concrete_fields
        if _SOUNDS_PERSONAL.search(field.name) and field.name not in declared_personal(model)
    }
    assert undeclared == set()


def test_what_is_declared_exists_and_somebody_erases_it():
    declaring = {model.__name__: model for model in our_models() if declared_personal(model)}
    assert set(declaring) == _ERASED
    for model in declaring.values():
        names = {field.name for field in model._meta.concrete_fields}
        assert set(declared_personal(model)) <= names
