"""`python -m tests.bench.fleet`: nothing to migrate, and one AddField over a fleet, against `migrate_schemas`.

In a database of its own, with today's code and then tomorrow's (one more migration of content). The
sample of `migrate_schemas` runs in one process with its own executor, start of Django excluded.
"""

import argparse
import io
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import psycopg

from tests.stack import REPOSITORY

DATABASE = "bench_fleet"
_SIGN_INS = ("DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL")
_ROUNDS = 3
_LEAST_RATIO, _LONGEST_NOTHING_SECONDS = 40.0, 1.0


def main(argv: list[str]) -> int:
    """Print the table; 1 when a promise of the tenancy issue is broken."""
    asked = _arguments(argv)
    if asked.inside:
        return _measure(asked)
    owner = os.environ.get("DATABASE_OWNER_URL") or os.environ["DATABASE_URL"]
    _drop(owner)
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{DATABASE}"')
    here = urlunsplit(urlsplit(owner)._replace(path=f"/{DATABASE}"))
    environment = os.environ | dict.fromkeys(_SIGN_INS, here)
    environment |= {"DJANGO_SETTINGS_MODULE": "config.settings", "LOG_LEVEL": "ERROR"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.fleet", "--inside", *argv]
    try:
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode
    finally:
        _drop(owner)


def _drop(owner: str) -> None:
    with psycopg.connect(owner, autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{DATABASE}" WITH (FORCE)')


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.fleet", description=__doc__)
    parser.add_argument(
        "--tenants", type=int, default=200, help="with a schema each (500 promised)"
    )
    parser.add_argument("--sample", type=int, default=10, help="that migrate_schemas does (20)")
    parser.add_argument("--registered", type=int, default=1_000, help="when nothing is to be done")
    parser.add_argument("--connections", type=int, default=2)
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _measure(asked: argparse.Namespace) -> int:
    import django

    django.setup()
    from django.core.management import call_command

    call_command("database", "prepare", stdout=io.StringIO())
    call_command("fleet", "migrate", stdout=io.StringIO())
    print(f"making {asked.tenants} tenants", flush=True)
    schemas = _tenants(asked.tenants)
    idle = _nothing_to_do(asked.registered - asked.tenants)
    with _release_of_tomorrow():
        print(f"migrate_schemas over {asked.sample} of them", flush=True)
        slow = _by_migrate_schemas(schemas[: asked.sample])
        print("fleet migrate over the others", flush=True)
        fast, whole_seconds = _by_fleet(asked)
        _every_one_has_it(schemas)
    return _print(asked, idle=idle, slow=slow, fast=fast, whole_seconds=whole_seconds)


# --- making -------------------------------------------------------------------------------------------


def _tenants(number: int) -> list[str]:
    """Tenants with a schema made of the template's SQL, side by side; roles are not needed here."""
    from tenants import template
    from tenants.engine.owner import owner_connection
    from tenants.rendering import replay

    pattern, made = template.current(), _registered(number, "bench")

    def make(part: list[str]) -> None:
        for start in range(0, len(part), 50):
            with owner_connection() as owner:
                for schema in part[start : start + 50]:
                    with owner.transaction(), owner.cursor() as cursor:
                        replay(cursor, schema=schema, pattern_sql=pattern.sql)

    began = time.monotonic()
    with ThreadPoolExecutor(2) as threads:
        list(threads.map(make, [made[0::2], made[1::2]]))
    print(f"  {number / (time.monotonic() - began):.1f} a second", flush=True)
    return made


def _registered(number: int, name: str) -> list[str]:
    from config.ids import new_id
    from tenants.models import Tenant
    from tenants.template import code_version

    ids = [new_id() for _ in range(number)]
    Tenant.objects.bulk_create(
        Tenant(
            id=each, schema_name=f"t_{each.hex}", slug=f"{name}-{number}", organisation="Bench",
            status="active", schema_version=code_version(),
        )
        for number, each in enumerate(ids)
    )  # fmt: skip
    return [f"t_{each.hex}" for each in ids]


_TOMORROW = """
from django.db import migrations, models
class Migration(migrations.Migration):
    dependencies = [('content', '{last}')]
    operations = [migrations.AddField('piece', 'mood', models.CharField(max_length=9, default='fair'))]
"""


@contextmanager
def _release_of_tomorrow() -> Iterator[None]:
    import shutil

    from django.conf import settings

    from tenants import template

    with tempfile.TemporaryDirectory() as folder:
        package = Path(folder) / "content_of_tomorrow"
        shutil.copytree(REPOSITORY / "apps" / "content" / "migrations", package)
        last = max(path.stem for path in package.glob("[0-9]*.py"))
        (package / "0901_mood.py").write_text(_TOMORROW.format(last=last))
        sys.path.insert(0, folder)
        settings.MIGRATION_MODULES = {"content": "content_of_tomorrow"}
        template.forget_code()
        yield


# --- measuring ----------------------------------------------------------------------------------------


def _nothing_to_do(others: int) -> float:
    """Seconds inside the command, the median of some."""
    from django.core.management import call_command

    from tenants.models import Tenant

    _registered(max(0, others), "idle")
    samples = []
    for _ in range(_ROUNDS):
        began = time.perf_counter()
        call_command("fleet", "migrate", stdout=io.StringIO())
        samples.append(time.perf_counter() - began)
    Tenant.objects.filter(slug__startswith="idle-").delete()
    return median(samples)


def _by_migrate_schemas(schemas: list[str]) -> float:
    """Tenants a second, by django-tenants' own command and its default executor."""
    from django_tenants.management.commands.migrate_schemas import MigrateSchemasCommand
    from django_tenants.migration_executors import get_executor

    from tenants.isolation import owner_context

    parser = MigrateSchemasCommand().create_parser("manage.py", "migrate_schemas")
    options = vars(parser.parse_args(["--noinput", "--verbosity", "0", "--skip-checks"]))
    with owner_context():
        executor = get_executor("standard")((), options)
        began = time.perf_counter()
        executor.run_migrations(tenants=schemas)
        return len(schemas) / (time.perf_counter() - began)


class _Watch:
    """Times the tenants' part: from the first look at them to the last that is done."""

    def begin(self, total: int) -> None:
        self.began_at = time.perf_counter()

    def advance(self, number: int = 1) -> None:
        pass

    def end(self) -> None:
        self.seconds = time.perf_counter() - self.began_at


def _by_fleet(asked: argparse.Namespace) -> tuple[float, float]:
    """(tenants a second, seconds of the whole with the square and the template)."""
    from tenants import fleet

    watch = _Watch()
    orders = fleet.FleetOrders(connections=asked.connections)
    began = time.perf_counter()
    outcome = fleet.migrate(tell=lambda _: None, orders=orders, progress=watch)
    whole = time.perf_counter() - began
    assert (outcome.migrated, outcome.set_aside) == (asked.tenants, {})
    # Those of the sample were only noted.
    return (asked.tenants - asked.sample) / watch.seconds, whole


def _every_one_has_it(schemas: list[str]) -> None:
    from tenants.engine.owner import owner_connection

    with owner_connection() as owner:
        row: Any = owner.execute(
            "SELECT count(*) FROM information_schema.columns"
            " WHERE table_name = 'content_piece' AND column_name = 'mood' AND table_schema = ANY(%s)",
            [schemas],
        ).fetchone()
    assert row[0] == len(schemas), row


def _print(
    asked: argparse.Namespace, *, idle: float, slow: float, fast: float, whole_seconds: float
) -> int:
    ratio = fast / slow
    print(f"\n{'what':<58}{'measured':>16}{'promised':>12}")
    rows = (
        (f"nothing to migrate, {asked.registered} tenants", f"{idle:.2f} s", "< 1 s"),
        (f"migrate_schemas, {asked.sample} tenants sampled", f"{slow:.2f}/s", ""),
        (f"fleet migrate, {asked.tenants} tenants, {asked.connections} connections", f"{fast:.1f}/s", ""),
        ("  with the square and the template", f"{whole_seconds:.1f} s in all", ""),
        ("fleet migrate against migrate_schemas", f"{ratio:.0f}x", ">= 40x"),
    )  # fmt: skip
    for what, measured, promised in rows:
        print(f"{what:<58}{measured:>16}{promised:>12}")
    return 0 if ratio >= _LEAST_RATIO and idle < _LONGEST_NOTHING_SECONDS else 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
