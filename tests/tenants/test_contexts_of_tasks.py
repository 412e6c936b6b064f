"""One worker, tasks of two tenants in chains, chords, groups and retries: each in its own, and nothing after."""

import json
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
import redis
from django.conf import settings

from config.celery import app
from config.messages import TENANT_HEADER
from tenants.models import Tenant
from tests.processes import environment_here
from tests.stack import REPOSITORY

HEARD = "mixed_work:heard"
# What a kind writes down of its own, besides its start.
KINDS = {
    "chain": {"chain": 3},
    "chord": {"header": 2, "body": 1},
    "nested": {"nested": 4},
    "retry": {"retry": 3},
    "fall": {"fall": 1, "errback": 1, "after": 1},
    "square": {"square": 1, "from square": 1, "for nobody": 1},
}
ROUNDS = 5  # of both tenants: 230 tasks in each kind of worker
PATIENCE_SECONDS = 60.0


def heard_from_worker(pool: str, wanted: int, log: Path) -> list[tuple[str, str, list[str]]]:
    """Run one worker until it has written down `wanted` lines, or for too long."""
    server = redis.Redis.from_url(settings.REDIS_URL)
    command = [
        *(sys.executable, "-m", "celery", "-A", "tests.tenants.mixed_work", "worker"),
        *("--pool", pool, "--concurrency", "3", "--queues", "plaza", "--without-gossip"),
    ]
    with log.open("wb") as out:
        worker = subprocess.Popen(
            command, cwd=REPOSITORY, env=environment_here(REDIS_URL=settings.REDIS_URL),
            stdout=out, stderr=subprocess.STDOUT,
        )  # fmt: skip
        try:
            deadline = time.monotonic() + PATIENCE_SECONDS
            while int(server.llen(HEARD)) < wanted and time.monotonic() < deadline:
                assert worker.poll() is None, log.read_text()
                time.sleep(0.1)
            time.sleep(0.3)  # nothing more may come
        finally:
            worker.terminate()
            worker.wait(30)
    lines: Any = server.lrange(HEARD, 0, -1)
    server.close()
    return [tuple(json.loads(line)) for line in lines]


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("pool", ["threads", "prefork"])
def test_each_of_many_mixed_tasks_works_for_its_own_tenant(pool, acme, globex, tmp_path):
    Tenant.objects.update(worker_slots=None)
    for _ in range(ROUNDS):
        for kind in KINDS:
            for tenant in (acme, globex):
                app.send_task(
                    "mixed.start",
                    kwargs={"kind": kind, "expected": tenant.slug},
                    headers={TENANT_HEADER: str(tenant.id)},
                )
    each: Counter[str] = sum((Counter(kind) for kind in KINDS.values()), Counter())
    each["start"] = len(KINDS)
    wanted = {what: 2 * ROUNDS * count for what, count in each.items()}
    log = tmp_path / "worker.log"

    heard = heard_from_worker(pool, sum(wanted.values()), log)

    roles = {tenant.slug: tenant.schema_name for tenant in (acme, globex)}
    wrong = [
        line
        for line in heard
        if line[0] not in {"after", "square", "for nobody"}
        and line[2] != [line[1], roles[line[1]], roles[line[1]]]
    ]
    assert wrong == []
    assert Counter(what for what, *_ in heard) == wanted, log.read_text()[-4000:]
    of_kind = {what: {tuple(found) for w, _, found in heard if w == what} for what in wanted}
    assert of_kind["square"] == {("nobody", "plaza_square", "public")}
    assert of_kind["for nobody"] == {("NoTenant",)}
    assert of_kind["after"] == {("NoPlace", "NoPlace")}
    # Celery tells of a failure when the tenant has been left; its line carries the tenant still.
    told = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    failures = Counter(
        line.get("tenant_id") for line in told if "raised unexpected" in line["event"]
    )
    assert failures == {str(acme.id): ROUNDS, str(globex.id): ROUNDS}
