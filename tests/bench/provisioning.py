"""`python -m tests.bench.provisioning`: how long a new tenant takes, four ways, side by side.

By migrations (what django-tenants does), by its clone_schema (the call alone, in its favour), by a
replay of our template, and by claiming a ready schema. They take turns within each round, in a
database of their own. `--existing 600` measures once more when so many tenants are there.
"""

import argparse
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from statistics import median, quantiles
from typing import Any

import psycopg

from tests.stack import REPOSITORY

Samples = dict[str, list[float]]
DATABASE = "bench_provisioning"
LEGEND = {
    "migrations": "CREATE SCHEMA + migrate_schemas, Django and its commands warm",
    "clone_schema": "django-tenants' function, without its migrate --fake",
    "template": "provision(): the template's SQL, the role and its rights, one transaction",
    "claim": "claim_ready() in a transaction of its own, with its promise of a refill",
    "sign-up": "the whole of signup.reserve() with a ready schema; the password's hash included",
}


def main(argv: list[str]) -> int:
    """Print the tables; 1 when a promise of the tenancy issue is broken."""
    asked = _arguments(argv)
    if asked.inside:
        return _measure(asked)
    from tests.bench.servers import Variant, fresh_database

    for name in ("DATABASE_SQUARE_URL", "DATABASE_OWNER_URL"):
        os.environ.setdefault(name, os.environ["DATABASE_URL"])
    # By one sign-in, the owner's: django-tenants' clone_schema gives its function to whom it signs in as.
    plaza = Variant("provisioning", "config.settings", "", fresh_database(DATABASE))
    environment = plaza.environment() | {"PLAZA_ENV": "test"}
    command = [sys.executable, "-W", "ignore", "-m", "tests.bench.provisioning", "--inside", *argv]
    try:
        return subprocess.run(command, cwd=REPOSITORY, env=environment, check=False).returncode
    finally:
        _forget(environment["DATABASE_OWNER_URL"])


def _forget(address: str) -> None:
    """The database, and the roles that belong to the whole server."""
    with psycopg.connect(address) as connection:
        found = connection.execute("SELECT nspname FROM pg_namespace WHERE nspname ~ '^t_'")
        roles = [name for (name,) in found.fetchall()]
    with psycopg.connect(os.environ["DATABASE_OWNER_URL"], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE "{DATABASE}" WITH (FORCE)')
        for role in roles:
            connection.execute(f'DROP ROLE IF EXISTS "{role}"')


def _arguments(argv: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.provisioning", description=__doc__)
    parser.add_argument("--rounds", type=int, default=5, help="schemas made in each way")
    parser.add_argument("--claims", type=int, default=40)
    parser.add_argument("--existing", type=int, default=0, help="tenants before the second table")
    parser.add_argument("--inside", action="store_true", help=argparse.SUPPRESS)
    return parser.parse_args(argv)


def _measure(asked: argparse.Namespace) -> int:
    import django

    django.setup()
    _prepare()
    kept = _table(asked, existing=0)
    if asked.existing:
        _fill(asked.existing)
        kept &= _table(asked, existing=asked.existing)
    return 0 if kept else 1


def _prepare() -> None:
    from tenants import template
    from tenants.fleet import migrate_square
    from tenants.granting import prepare_rights
    from tenants.preparing import prepare_roles

    prepare_roles()
    migrate_square()
    prepare_rights()
    template.refresh(tell=print)


def _fill(wanted: int) -> None:
    from tenants.pool import fill_pool

    began = time.monotonic()
    made = fill_pool(wanted=wanted)
    took = time.monotonic() - began
    if made:
        print(f"made {made} ready schemas in {took:.0f} s: {made / took:.1f} a second", flush=True)


def _table(asked: argparse.Namespace, *, existing: int) -> bool:
    samples: Samples = {name: [] for name in LEGEND}
    for number in range(asked.rounds + 1):  # the first round warms up and is not counted
        for name, make in _makers().items():
            took = _timed(make)
            if number:
                samples[name].append(took)
    _fill(max(existing, asked.claims * 2) + 2)
    for number in range(asked.claims + 1):
        for name, make in _takers(number).items():
            took = _timed(make)
            if number:
                samples[name].append(took)
    _print(samples, existing=existing)
    return _is_kept(samples)


def _timed(make: Callable[[], Any]) -> float:
    began = time.perf_counter()
    make()
    return (time.perf_counter() - began) * 1000


def _makers() -> dict[str, Callable[[], Any]]:
    from django.db import connection
    from django_tenants.clone import CloneSchema

    from config.ids import new_id
    from tenants.isolation import owner_context
    from tenants.provisioning import provision
    from tenants.template import TEMPLATE_SCHEMA, migrate_schema

    tenant = _tenant()

    def by_migrations() -> None:
        schema = f"t_{new_id().hex}"
        with owner_context(), connection.cursor() as cursor:
            cursor.execute(f'CREATE SCHEMA "{schema}"')
        migrate_schema(schema)

    def by_clone_schema() -> None:
        with owner_context():
            CloneSchema().clone_schema(TEMPLATE_SCHEMA, f"t_{new_id().hex}")

    return {
        "migrations": by_migrations,
        "clone_schema": by_clone_schema,
        "template": lambda: provision(tenant_id=tenant.pk),
    }


def _takers(number: int) -> dict[str, Callable[[], Any]]:
    from django.db import transaction

    from billing import signup
    from tenants.pool import claim_ready

    application = signup.Application(
        organisation=f"Bench {number}", slug=f"b-{datetime.now(UTC):%H%M%S%f}",
        email=f"o{number}-{time.monotonic_ns()}@bench.test", password="benchmark-only-2026", plan="growth",
    )  # fmt: skip

    def sign_up() -> None:
        tenant = signup.reserve(application=application, now=datetime.now(UTC))
        assert tenant.status == "active", "the pool is dry"

    def claim() -> None:
        with transaction.atomic():
            assert claim_ready() is not None, "the pool is dry"

    return {"claim": claim, "sign-up": sign_up}


def _tenant() -> Any:
    from config.ids import new_id
    from tenants.models import Tenant

    tenant_id = new_id()
    return Tenant.objects.create(
        id=tenant_id, schema_name=f"t_{tenant_id.hex}", slug=f"s-{tenant_id.hex[-12:]}", organisation="Bench"
    )  # fmt: skip


def _p95(samples: list[float]) -> float:
    return quantiles(samples, n=20, method="inclusive")[-1] if len(samples) > 1 else samples[0]


def _promises(samples: Samples) -> Iterator[tuple[str, float, str, float]]:
    """(what, measured, unit, at least or at most)."""
    by = {name: median(values) for name, values in samples.items()}
    yield "claim's p95", _p95(samples["claim"]), "ms, at most", 50.0
    yield "claim against migrations", by["migrations"] / by["claim"], "times, at least", 40.0
    yield "template against migrations", by["migrations"] / by["template"], "times, at least", 3.5
    yield (
        "template against clone_schema",
        by["clone_schema"] / by["template"],
        "times, at least",
        1.0,
    )


def _is_kept(samples: Samples) -> bool:
    return all(
        measured <= bound if "most" in unit else measured >= bound
        for _, measured, unit, bound in _promises(samples)
    )


def _print(samples: Samples, *, existing: int) -> None:
    print(f"\na new tenant, {existing} tenants exist")
    print(f"{'way':<14}{'n':>4}{'median ms':>11}{'p95 ms':>9}{'faster than migrations':>24}")
    slow = median(samples["migrations"])
    for name, meaning in LEGEND.items():
        values = samples[name]
        middle = median(values)
        print(
            f"{name:<14}{len(values):>4}{middle:>11.1f}{_p95(values):>9.1f}{slow / middle:>23.1f}x  {meaning}"
        )
    for what, measured, unit, bound in _promises(samples):
        print(f"  {what}: {measured:.1f} ({unit} {bound:g})", flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
