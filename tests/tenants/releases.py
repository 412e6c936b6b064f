"""The code of tomorrow: the content app with more migrations, written into a folder of the test's own."""

import importlib
import shutil
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings

from tenants import fleet, template
from tenants.fleet import FleetOrders, FleetOutcome
from tenants.models import Tenant
from tenants.provisioning import provision
from tenants.rendering import replay
from tests.tenants.schemas import drop_all, owner_cursor, tenant_row

PACKAGE = "content_of_tomorrow"
# A table of the test's own: `content_word (id, word)`.
WORDS = (
    "migrations.CreateModel('word', [('id', models.BigAutoField(primary_key=True)),"
    " ('word', models.CharField(max_length=20))])"
)
ADD_MOOD = "migrations.AddField('piece', 'mood', models.CharField(max_length=9, default='fair'))"
_HEADER = """
import uuid
from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models
"""


class Releases:
    """`ship(name, operations)` adds one migration after the others, and lets this process see it."""

    def __init__(self, folder: Path) -> None:
        self.package = folder / PACKAGE
        shutil.copytree(
            settings.BASE_DIR / "apps" / "content" / "migrations",
            self.package,
            ignore=shutil.ignore_patterns("__pycache__"),
        )

    def ship(self, name: str, *operations: str, before: str = "", attributes: str = "") -> None:
        last = max(path.stem for path in self.package.glob("[0-9]*.py") if path.stem < name)
        (self.package / f"{name}.py").write_text(
            f"{_HEADER}\n{before}\n"
            f"class Migration(migrations.Migration):\n"
            f"    dependencies = [('content', '{last}')]\n"
            f"    {attributes}\n"
            f"    operations = [{', '.join(operations)}]\n"
        )
        self.seen()

    def seen(self) -> None:
        importlib.invalidate_caches()
        for known in [known for known in sys.modules if known.startswith(PACKAGE)]:
            del sys.modules[known]
        template.forget_code()


@pytest.fixture
def releases(
    db: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, settings: Any
) -> Iterator[Releases]:
    drop_all()
    today = template.current()
    made = Releases(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"content": PACKAGE}
    made.seen()
    yield made
    del settings.MIGRATION_MODULES
    made.seen()
    drop_all()
    with owner_cursor() as cursor, cursor.connection.transaction():
        cursor.execute("DROP SCHEMA template CASCADE; DELETE FROM public.tenants_template")
        replay(
            cursor, schema=template.TEMPLATE_SCHEMA, pattern_sql=today.sql
        )  # quicker than its migrations
        cursor.execute("DELETE FROM public.django_migrations WHERE app = 'content' AND name > '08'")


def tenants(number: int) -> list[Tenant]:
    """Active tenants with a schema each, the oldest first."""
    return [provision(tenant_id=tenant_row(status="active").pk) for _ in range(number)]


def release_of_today(releases: Releases, number: int) -> list[Tenant]:
    """So many tenants, up to date, with the table of words."""
    releases.ship("0900_word", WORDS)
    return tenants(number)


def migrate(**orders: Any) -> FleetOutcome:
    return fleet.migrate(tell=lambda _: None, orders=FleetOrders(**orders))


def ask(tenant: Tenant, statement: str) -> list[tuple[Any, ...]]:
    """What the owner is answered in the tenant's schema; [] where the statement answers nothing."""
    with owner_cursor() as cursor:
        cursor.execute(f"SET search_path TO {tenant.schema_name}, ext")
        cursor.execute(statement.encode())
        return cursor.fetchall() if cursor.description else []


def columns(tenant: Tenant, table: str) -> set[str]:
    rows = ask(
        tenant,
        "SELECT column_name FROM information_schema.columns"
        f" WHERE table_schema = '{tenant.schema_name}' AND table_name = '{table}'",
    )
    return {str(name) for (name,) in rows}


def noted(tenant: Tenant) -> list[str]:
    """The migrations of tomorrow that the tenant's schema says it has."""
    asked = "SELECT name FROM django_migrations WHERE app = 'content' AND name > '08' ORDER BY id"
    return [str(name) for (name,) in ask(tenant, asked)]
