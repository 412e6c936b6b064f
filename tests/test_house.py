"""The house keeps its own rules: what HOUSE's page asks and no linter sees."""

import ast
import inspect
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from config import env
from config.celery import app as celery_app
from config.errors import all_errors
from quotas.checks import undeclared_tasks
from tests.stack import REPOSITORY

OURS = ("config", "tenants", "quotas", "billing", "apps")
TOP_LEVEL = {
    "config", "tenants", "billing", "apps", "quotas", "deploy", "tests", "manage.py",
    "pyproject.toml", "README.md", "Makefile", "LICENSE", "CHANGELOG.md",
    "requirements.lock", "requirements-dev.lock",
}  # fmt: skip
LONGEST_FILE = 250
PRIMITIVES = {"str", "int", "bool", "str | None", "int | None", "bool | None"}


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard"],
        cwd=REPOSITORY, check=True, capture_output=True, text=True,
    )  # fmt: skip
    return [path for line in listing.stdout.splitlines() if (path := REPOSITORY / line).is_file()]


def sources(*packages: str) -> Iterator[Path]:
    for path in tracked():
        parts = path.relative_to(REPOSITORY).parts
        if path.suffix == ".py" and parts[0] in packages and "migrations" not in parts:
            yield path


def imported(path: Path) -> set[str]:
    """Top-level names of what a file imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_the_top_level_is_the_given_one() -> None:
    names = {path.relative_to(REPOSITORY).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} == TOP_LEVEL


def test_no_source_file_outgrows_its_room() -> None:
    lengths = {
        str(path.relative_to(REPOSITORY)): len(path.read_text().splitlines())
        for path in sources(*OURS, "tests")
    }
    # Settings are one file by intent: a list of values, read from top to bottom.
    del lengths["config/settings.py"]
    assert {path: lines for path, lines in lengths.items() if lines > LONGEST_FILE} == {}


def test_no_module_has_a_name_that_says_nothing() -> None:
    forbidden = {"utils", "helpers", "common", "core", "managers", "constants", "misc", "base"}
    allowed = {"billing/providers/base.py", "tenants/engine/base.py"}
    found = {str(p.relative_to(REPOSITORY)) for p in sources(*OURS) if p.stem in forbidden}
    assert found - allowed == set()


@pytest.mark.parametrize(
    ("package", "module", "where"),
    [
        ("django", "django", OURS),
        ("django-tenants", "django_tenants", OURS),
        ("djangorestframework", "rest_framework", OURS),
        ("psycopg", "psycopg", OURS),
        ("stripe", "stripe", ("billing",)),
        ("paypalrestsdk", "paypalrestsdk", ("billing",)),
        ("celery", "celery", OURS),
        ("django-ratelimit", "django_ratelimit", OURS),
        ("authlib", "authlib", OURS),
        ("pytest-django", "pytest_django", ("tests",)),
        ("factory-boy", "factory", ("tests",)),
    ],
)
def test_each_package_that_was_asked_for_does_real_work(
    package: str, module: str, where: tuple[str, ...]
) -> None:
    assert any(module in imported(path) for path in sources(*where)), package


def test_only_the_providers_import_the_payment_sdks() -> None:
    found = {
        str(path.relative_to(REPOSITORY))
        for path in sources(*OURS)
        if imported(path) & {"stripe", "paypalrestsdk"}
    }
    assert {path for path in found if not path.startswith("billing/providers/")} == set()


def later_names() -> set[str]:
    """Every task name that some code promises with `later("…")`."""
    names = set()
    for path in sources(*OURS):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "later":
                assert isinstance(node.args[0], ast.Constant), f"{path}: name the task literally"
                names.add(str(node.args[0].value))
    return names


def test_every_promised_or_scheduled_task_exists() -> None:
    celery_app.loader.import_default_modules()
    scheduled = {entry["task"] for entry in celery_app.conf.beat_schedule.values()}
    assert (later_names() | scheduled) - set(celery_app.tasks) == set()


def test_task_parameters_are_primitives_by_keyword() -> None:
    celery_app.loader.import_default_modules()
    wrong = []
    for name, task in celery_app.tasks.items():
        if name.startswith("celery."):
            continue
        for parameter in inspect.signature(task.run).parameters.values():
            spelled = getattr(parameter.annotation, "__name__", str(parameter.annotation))
            if parameter.kind is not parameter.KEYWORD_ONLY or spelled not in PRIMITIVES:
                wrong.append(f"{name}({parameter})")
    assert wrong == []


def test_every_tenant_task_declares_what_it_needs() -> None:
    assert undeclared_tasks() == []


def test_the_readme_documents_every_environment_variable_and_no_other() -> None:
    text = (REPOSITORY / "README.md").read_text()
    table = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", text, flags=re.MULTILINE))
    assert table == set(env.DECLARED)


def test_every_error_code_is_a_lower_case_word_and_has_a_title() -> None:
    bad = [
        error.__qualname__
        for error in all_errors()
        if not re.fullmatch(r"[a-z][a-z0-9_]*", error.code)
        or not str(error.title)
        or not error.__doc__
    ]
    assert bad == []


def test_nothing_tracked_names_a_registry_or_a_path_of_this_machine() -> None:
    # A letter of each in brackets, so that this file is looked at too.
    pattern = re.compile(
        r"pyp[i]\.org|pythonhoste[d]|registry\.npm[j]s|deb\.debia[n]|/root/\.pyen[v]|(?<![\w.-])/wor[k]/"
    )
    found = [
        str(path.relative_to(REPOSITORY))
        for path in tracked()
        if path.suffix
        in {".py", ".md", ".toml", ".lock", ".sh", ".yaml", ".yml", ".txt", ".html", ""}
        and path.stat().st_size < 1_500_000
        and pattern.search(path.read_text(errors="replace"))
    ]
    assert found == []


@pytest.mark.django_db
def test_a_tenant_stays_within_its_budget_of_tables_and_indexes(acme) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [acme.schema_name])
        tables = cursor.fetchone()[0]
        cursor.execute("SELECT count(*) FROM pg_indexes WHERE schemaname = %s", [acme.schema_name])
        indexes = cursor.fetchone()[0]
    assert 3 < tables <= 30
    assert tables <= indexes <= 120


def label_of(relation: Any) -> str:
    return str(relation.related_model._meta.app_label)


def test_tenant_apps_hold_no_key_to_a_public_table() -> None:
    from django.apps import apps

    stall = {name.rpartition(".")[2] for name in settings.TENANT_APPS}
    leaving = [
        f"{model.__name__}.{field.name}"
        for label in stall
        for model in apps.get_app_config(label).get_models()
        for field in model._meta.get_fields()
        if field.is_relation and not field.auto_created and label_of(field) not in stall
    ]
    assert leaving == []


def test_a_factory_makes_every_model() -> None:
    from django.apps import apps
    from factory.django import DjangoModelFactory

    from tests import factories

    ours = {
        model
        for config in apps.get_app_configs()
        if config.name.split(".")[0] in OURS
        for model in config.get_models()
    }
    things: list[Any] = list(vars(factories).values())
    made: set[Any] = {
        factory_class._meta.model
        for factory_class in things
        if inspect.isclass(factory_class) and issubclass(factory_class, DjangoModelFactory)
    }
    assert {model.__name__ for model in ours - made} == set()


def test_the_product_imports_only_what_its_own_lock_holds() -> None:
    from importlib.metadata import packages_distributions

    lock = (REPOSITORY / "requirements.lock").read_text()
    held = {name.lower() for name in re.findall(r"^([A-Za-z0-9_.-]+)==", lock, flags=re.MULTILINE)}
    distributions = packages_distributions()
    missing = {
        (str(path.relative_to(REPOSITORY)), name)
        for path in sources(*OURS)
        if "local" not in path.relative_to(REPOSITORY).parts
        for name in imported(path) & set(distributions)
        if not any(
            held & {one.lower(), one.lower().replace("_", "-")} for one in distributions[name]
        )
    }
    assert missing == set()
