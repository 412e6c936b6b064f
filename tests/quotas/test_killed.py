"""A process killed with SIGKILL while it reports and takes usage: the ledger is the work accepted, to the unit."""

import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from config.ids import new_id
from config.needs import Meter
from quotas.models import UsageEvent
from quotas.reporting import UsageReport, record
from quotas.retention import imbalances
from tenants.engine.owner import owner_connection
from tests.processes import environment_here
from tests.quotas.test_ledger import used

pytestmark = pytest.mark.django_db(transaction=True)
# Batches of 50 events of 1 to 3 units, and one unit taken beside each; every commit is told in a line.
WORK = """
import django, sys
django.setup()
from datetime import UTC, datetime
from uuid import UUID
from django.db import transaction
from config.context import Place, at_place
from config.needs import Meter
from quotas import ledger
from quotas.reporting import UsageReport, record
tenant_id, told, first = UUID(sys.argv[1]), open(sys.argv[2], "a", buffering=1), int(sys.argv[3])
now = datetime.now(UTC)
with at_place(Place.SQUARE):
    for batch in range(first, first + 400):
        reports = [
            UsageReport(key=f"{batch}-{n}", meter="tokens", occurred_at=now, quantity=1 + n % 3)
            for n in range(50)
        ]
        record(tenant_id=tenant_id, reports=reports, now=now)
        with transaction.atomic():
            ledger.consume(
                tenant_id=tenant_id, meter=Meter.CONTACTS, quantity=2, key=f"c-{batch}", now=now
            )
        print(batch, file=told)
"""
UNITS_OF_A_BATCH = sum(1 + n % 3 for n in range(50))


def backends() -> int:
    """Connections to this database, but for the one that asks."""
    with owner_connection() as owner:
        found = owner.execute(
            "SELECT count(*) FROM pg_stat_activity"
            " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()"
        ).fetchone()
    return int(found[0]) if found else 0


def killed_at(tenant_id: Any, told: Path, first: int, lines: int) -> None:
    """Work in another process, and kill it once so many more batches are told.

    PostgreSQL finishes what it was sent before it notices that nobody is there: that is waited for.
    """
    before = backends()
    wanted = len(told.read_text().splitlines()) + lines
    process = subprocess.Popen(
        [sys.executable, "-c", WORK, str(tenant_id), str(told), str(first)],
        cwd=settings.BASE_DIR, env=environment_here(),
    )  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while len(told.read_text().splitlines()) < wanted:
            assert process.poll() is None, "it ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.001)
    finally:
        process.kill()
        process.wait()
    deadline = time.monotonic() + 30
    while backends() > before:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_the_ledger_is_the_accepted_work_after_kills_and_a_repeat_counts_nothing_twice(
    granted: Any, tmp_path: Path, now: datetime
) -> None:
    tenant_id, told = new_id(), tmp_path / "told"
    granted(tenant_id, contacts=None, now=now)
    told.touch()

    for first, lines in ((0, 3), (1_000, 7), (2_000, 5)):
        killed_at(tenant_id, told, first, lines)

    accepted = [int(line) for line in told.read_text().splitlines()]
    tokens, contacts = used(tenant_id, Meter.TOKENS, now), used(tenant_id, Meter.CONTACTS, now)
    assert imbalances(connection) == []
    # Told after the commit: each process may have died between the two, so once more at the most.
    assert 0 <= tokens - len(accepted) * UNITS_OF_A_BATCH <= 3 * UNITS_OF_A_BATCH
    assert tokens % UNITS_OF_A_BATCH == 0
    assert 0 <= contacts - 2 * len(accepted) <= 2 * 3

    # Whoever did not hear an answer sends again: everything is known, and nothing counts twice.
    stored = list(UsageEvent.objects.filter(tenant_id=tenant_id, meter="tokens")[:1_000])
    again = record(
        tenant_id=tenant_id, now=now,
        reports=[
            UsageReport(key=e.key, meter=e.meter, occurred_at=e.occurred_at, quantity=e.quantity)
            for e in stored
        ],
    )  # fmt: skip
    assert [getattr(each, "is_new", None) for each in again] == [False] * len(stored)
    assert used(tenant_id, Meter.TOKENS, now) == tokens
