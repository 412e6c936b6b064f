"""A fleet run that is stopped, killed or kept waiting goes on the next time, and there is only one at once."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import pytest
from django.db import connection
from psycopg.pq import TransactionStatus

from tenants import fleet
from tenants.engine.owner import owner_connection
from tenants.fleet import Brake, FleetBusy, FleetOrders
from tenants.fleet.connections import Connections
from tenants.fleet.lock import one_fleet_at_a_time
from tenants.models import Tenant
from tenants.template import code_version, same_as_template
from tests.stack import REPOSITORY
from tests.tenants.releases import (
    ADD_MOOD,
    PACKAGE,
    Releases,
    columns,
    migrate,
    noted,
    releases,
    tenants,
)

__all__ = ["releases"]
pytestmark = pytest.mark.django_db(transaction=True)
SLOW = "migrations.RunSQL('SELECT pg_sleep(0.15)')"
_COMMAND = f"""
import sys
from django.conf import settings
import django
django.setup()
sys.path.insert(0, sys.argv[1])
settings.MIGRATION_MODULES = {{"content": "{PACKAGE}"}}
from django.core.management import execute_from_command_line
execute_from_command_line(["manage.py", "fleet", "migrate", *sys.argv[2:]])
"""


@contextmanager
def running(made: Releases, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    """`manage.py fleet migrate` as a process of its own, with tomorrow's code, on this test's database."""
    name = f"/{connection.settings_dict['NAME']}"
    addresses = {
        variable: urlunsplit(urlsplit(os.environ[variable])._replace(path=name))
        for variable in ("DATABASE_URL", "DATABASE_OWNER_URL", "DATABASE_SQUARE_URL")
        if variable in os.environ
    }
    process = subprocess.Popen(
        [sys.executable, "-c", _COMMAND, str(made.package.parent), *arguments],
        cwd=REPOSITORY, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        env=os.environ | addresses | {"DJANGO_SETTINGS_MODULE": "config.settings"},
    )  # fmt: skip
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def wait_until_some_are_done(most: int) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        done = Tenant.objects.filter(schema_version=code_version()).count()
        if done >= 3:
            assert done < most
            return
        time.sleep(0.02)
    raise AssertionError("Nothing was migrated.")


def every_one_is_migrated_once(made: list[Tenant]) -> None:
    assert [noted(tenant) for tenant in made] == [["0901_mood"]] * len(made)
    assert [same_as_template(tenant.schema_name) for tenant in made] == [[]] * len(made)
    assert set(Tenant.objects.values_list("schema_version", "migration_state")) == {
        (code_version(), "steady")
    }


@pytest.mark.parametrize("kind", ["replayed", "warm"])
def test_killed_in_the_middle_it_goes_on_and_nobody_is_migrated_twice(
    releases: Releases, kind: str
):
    made = tenants(14)
    python = "migrations.RunPython(migrations.RunPython.noop)"
    releases.ship("0901_mood", ADD_MOOD, SLOW, *([python] if kind == "warm" else []))

    with running(releases, "--per-commit", "2", "--waves", "4") as process:
        wait_until_some_are_done(len(made))
        process.kill()

    migrate(wait_seconds=10)
    every_one_is_migrated_once(made)


def test_a_signal_ends_it_after_what_is_running_and_the_next_run_does_the_rest(releases: Releases):
    made = tenants(12)
    releases.ship("0901_mood", ADD_MOOD, SLOW)

    with running(releases, "--per-commit", "1") as process:
        wait_until_some_are_done(len(made))
        process.send_signal(signal.SIGTERM)
        told, complaint = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "Stopping after what is running" in complaint
    assert "Interrupted; run it again to go on." in complaint
    done = Tenant.objects.filter(schema_version=code_version()).count()
    assert f"{done} tenants and 0 ready schemas were brought along, 0 were set aside." in told
    assert 3 <= done < 12
    assert migrate().migrated == 12 - done
    every_one_is_migrated_once(made)


def test_a_brake_pulled_beforehand_lets_nothing_begin(releases: Releases):
    made = tenants(2)
    releases.ship("0901_mood", ADD_MOOD)
    brake = Brake()
    brake.pull()

    outcome = fleet.migrate(tell=lambda _: None, brake=brake)

    assert (outcome.interrupted, outcome.migrated) == (True, 0)
    assert ["mood" in columns(tenant, "content_piece") for tenant in made] == [False, False]
    with pytest.raises(KeyboardInterrupt):
        brake.pull()


def test_a_second_fleet_is_refused_and_hears_who_is_at_work(releases: Releases):
    with one_fleet_at_a_time(), pytest.raises(FleetBusy) as busy:
        migrate(wait_seconds=0.1)
    assert f":{os.getpid()} (backend " in str(busy.value)
    migrate()


@contextmanager
def somebody_reads(tenant: Tenant, seconds: float) -> Iterator[None]:
    """A transaction that has read a table of the tenant, and takes its time."""
    reading, enough = threading.Event(), threading.Event()

    def read() -> None:
        with owner_connection(autocommit=False) as reader:
            reader.execute(f"SELECT count(*) FROM {tenant.schema_name}.content_piece")
            reading.set()
            enough.wait(seconds)

    thread = threading.Thread(target=read)
    thread.start()
    reading.wait()
    try:
        yield
    finally:
        enough.set()
        thread.join()


def test_who_is_in_use_is_tried_again_and_holds_up_nobody(releases: Releases):
    made = tenants(4)
    releases.ship("0901_mood", ADD_MOOD)

    with somebody_reads(made[2], seconds=2):
        outcome = migrate(lock_timeout_ms=200)

    assert (outcome.migrated, outcome.set_aside) == (4, {})
    every_one_is_migrated_once(made)


@pytest.mark.parametrize("busy", [0, 2])
def test_who_is_in_use_all_the_time_is_set_aside_for_the_next_run(releases: Releases, busy: int):
    made = tenants(4)
    releases.ship("0901_mood", ADD_MOOD)

    with somebody_reads(made[busy], seconds=60):
        outcome = migrate(lock_timeout_ms=100, tries=2, canary=made[1].slug, stop_at=1)

    assert (outcome.migrated, list(outcome.set_aside)) == (3, [made[busy].slug])
    assert "lock timeout" in outcome.set_aside[made[busy].slug]
    assert migrate().migrated == 1
    every_one_is_migrated_once(made)


def test_a_lost_connection_of_one_worker_is_no_failure_of_a_tenant(releases: Releases):
    made = tenants(8)
    releases.ship("0901_mood", ADD_MOOD, SLOW)
    outcome: list[Any] = []
    work = threading.Thread(
        target=lambda: outcome.append(fleet.migrate(tell=lambda _: None, orders=FleetOrders(schemas_per_commit=3)))
    )  # fmt: skip
    work.start()
    cut = 0
    with owner_connection() as owner:
        while work.is_alive() and not cut:
            cut = owner.execute(
                "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity"
                " WHERE datname = current_database() AND application_name = 'plaza-owner'"
                " AND pid <> pg_backend_pid() AND query LIKE '%lock_shared%django_migrations%' AND state = 'active'"
            ).fetchone()[0]  # type: ignore[index]
    work.join()

    assert cut > 0
    assert outcome[0].set_aside == {}
    every_one_is_migrated_once(made)


def test_a_connection_is_closed_after_a_hundred_schemas_and_given_back_clean(db: None):
    connections = Connections(1)
    seen = []
    for schemas in (60, 40, 1, 100, 1):
        with connections.taken(schemas) as owner:
            seen.append(owner.info.backend_pid)
            owner.execute("BEGIN")
    with connections.taken(1) as owner:
        assert owner.info.transaction_status == TransactionStatus.IDLE
    connections.close()

    assert [seen[0] == seen[1], seen[1] == seen[2], seen[2] == seen[3]] == [True, False, False]
    assert seen[3] != seen[4]
