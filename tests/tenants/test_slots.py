"""Worker slots: a tenant's tasks beyond them go back to the queue, and a killed worker's slot comes free."""

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
import redis
from celery.contrib.testing.worker import start_worker
from celery.exceptions import Ignore
from django.conf import settings
from django.db import connections

from config.celery import app
from config.context import require_tenant
from config.messages import TENANT_HEADER
from config.needs import Needs
from tenants import slots
from tenants.models import Tenant
from tenants.slots import NoSlotFree, slot
from tenants.tasks import WAITS_HEADER

pytestmark = pytest.mark.django_db
PLAIN = Needs(meter=None)


def server() -> redis.Redis:
    return redis.Redis.from_url(settings.REDIS_URL)


def key_of(tenant) -> str:
    return f"plaza:{{{tenant.pk.hex}}}:slots"


def test_no_more_tasks_run_at_once_than_there_are_slots(acme, globex):
    running, most, refused = 0, 0, 0
    lock = threading.Lock()

    def work(number: int) -> None:
        nonlocal running, most, refused
        try:
            with slot(tenant_id=acme.pk, slots=3, holder=f"task-{number}"):
                with lock:
                    running += 1
                    most = max(most, running)
                time.sleep(0.05)
                with lock:
                    running -= 1
        except NoSlotFree:
            with lock:
                refused += 1

    with ThreadPoolExecutor(16) as pool:
        list(pool.map(work, range(64)))

    assert most == 3
    assert refused > 0
    assert server().zcard(key_of(acme)) == 0
    with slot(tenant_id=globex.pk, slots=1, holder="another tenant's"):
        assert server().zcard(key_of(globex)) == 1


def test_a_killed_worker_s_slot_is_free_after_its_lease(acme, monkeypatch):
    monkeypatch.setattr(slots, "LEASE_SECONDS", 0.2)
    killed = slots._Lease(key_of(acme), "killed", 1)
    assert killed.take()

    with pytest.raises(NoSlotFree), slot(tenant_id=acme.pk, slots=1, holder="next"):
        pass
    time.sleep(0.25)
    with slot(tenant_id=acme.pk, slots=1, holder="next"):
        assert server().zrange(key_of(acme), 0, -1) == [b"next"]


def test_a_long_task_keeps_its_slot(acme, monkeypatch):
    monkeypatch.setattr(slots, "LEASE_SECONDS", 0.2)
    monkeypatch.setattr(slots, "_RENEW_EVERY_SECONDS", 0.05)
    with slot(tenant_id=acme.pk, slots=1, holder="long"):
        time.sleep(0.5)
        with pytest.raises(NoSlotFree), slot(tenant_id=acme.pk, slots=1, holder="next"):
            pass


def test_a_message_that_comes_again_takes_its_own_slot(acme):
    lease = slots._Lease(key_of(acme), "the same task", 1)
    assert lease.take()
    with slot(tenant_id=acme.pk, slots=1, holder="the same task"):
        assert server().zcard(key_of(acme)) == 1


def test_without_redis_tasks_run(acme, settings):
    settings.REDIS_URL = "redis://127.0.0.1:1/0"
    first = slot(tenant_id=acme.pk, slots=1, holder="one")
    with first, slot(tenant_id=acme.pk, slots=1, holder="two"):
        pass


@app.task(name="tests.slotted", needs=PLAIN)
def slotted(*, note: str) -> str:
    return f"{require_tenant().slug} {note}"


def delivered(tenant, task_id: str, **headers: str) -> str:
    """Run the task as a worker does, from its message."""
    slotted.push_request(
        id=task_id,
        args=[],
        kwargs={"note": "x"},
        headers={TENANT_HEADER: str(tenant.pk), **headers},
        retries=0,
        called_directly=False,
        delivery_info={"exchange": "", "routing_key": "plaza"},
    )
    try:
        return slotted(note="x")
    finally:
        slotted.pop_request()


def queued() -> list[dict]:
    return [json.loads(raw) for raw in server().lrange("plaza:plaza", 0, -1)]


def test_a_task_without_a_slot_goes_back_to_the_queue_for_later(acme, globex, now):
    Tenant.objects.filter(pk=acme.pk).update(worker_slots=1)
    assert delivered(acme, "free") == "acme x"

    with slot(tenant_id=acme.pk, slots=1, holder="busy"):
        with pytest.raises(Ignore):
            delivered(acme, "first")
        with pytest.raises(Ignore):
            delivered(acme, "first", **{WAITS_HEADER: "9"})
        assert delivered(globex, "other") == "globex x"

    one, again = queued()[::-1]
    for message, waits, least, most in ((one, "1", 1, 2), (again, "10", 15, 30)):
        headers = message["headers"]
        assert (headers["id"], headers["task"], headers["retries"]) == ("first", "tests.slotted", 0)
        assert (headers[TENANT_HEADER], headers[WAITS_HEADER]) == (str(acme.pk), waits)
        eta = datetime.fromisoformat(headers["eta"])
        assert now + timedelta(seconds=least) <= eta <= now + timedelta(seconds=most + 5)
    assert server().zcard(key_of(acme)) == 0


def test_a_task_called_as_a_function_needs_no_slot(acme):
    Tenant.objects.filter(pk=acme.pk).update(worker_slots=1)
    with slot(tenant_id=acme.pk, slots=1, holder="its caller"):
        slotted.push_request(headers={TENANT_HEADER: str(acme.pk)})
        try:
            assert slotted(note="y") == "acme y"
        finally:
            slotted.pop_request()


SEEN: list[tuple[str, float, float]] = []


@app.task(name="tests.timed", needs=PLAIN)
def timed(*, note: str) -> None:
    """Remember when it ran, in the worker's thread."""
    began = time.monotonic()
    time.sleep(0.3)
    SEEN.append((note, began, time.monotonic()))
    connections.close_all()  # the test database is dropped after


@pytest.mark.django_db(transaction=True)
def test_a_worker_runs_no_more_of_a_tenant_at_once_and_all_of_it_in_the_end(acme, globex):
    """Six threads, two slots: the neighbour's task does not wait for acme's."""
    Tenant.objects.filter(pk=acme.pk).update(worker_slots=2)
    SEEN.clear()
    with start_worker(
        app, concurrency=6, pool="threads", perform_ping_check=False, shutdown_timeout=30
    ):
        for number in range(6):
            timed.apply_async(
                kwargs={"note": f"acme {number}"}, headers={TENANT_HEADER: str(acme.pk)}
            )
        asked_at = time.monotonic()
        timed.apply_async(kwargs={"note": "globex"}, headers={TENANT_HEADER: str(globex.pk)})
        deadline = time.monotonic() + 60
        while len(SEEN) < 7 and time.monotonic() < deadline:
            time.sleep(0.05)

    ours = [run for run in SEEN if run[0] != "globex"]
    at_once = [sum(b <= began < e for _, b, e in ours) for _, began, _ in ours]
    assert sorted(note for note, *_ in SEEN) == [*(f"acme {n}" for n in range(6)), "globex"]
    assert max(at_once) == 2
    assert next(began for note, began, _ in SEEN if note == "globex") - asked_at < 5
    assert server().zcard(key_of(acme)) == 0
