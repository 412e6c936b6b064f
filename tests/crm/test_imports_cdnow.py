"""The real file: 69,659 purchases of 23,570 customers, as it was published."""

import signal
import subprocess
import sys
import time
from datetime import date

import pytest
from django.db import ProgrammingError
from django.db.models import Sum

from apps.crm.models import Contact, Import, ImportRow, Order
from apps.crm.services.imports import batches
from tenants.isolation import tenant_context
from tests.crm.conftest import CDNOW, CUSTOMERS, PURCHASES
from tests.owner import owners_cursor
from tests.processes import environment_here
from tests.stack import REPOSITORY

IMPORTS = "/api/v1/imports"
# Sums over the file's own lines.
QUANTITY, CENTS = 167_881, 250_031_563
WHOLE = {"contacts": CUSTOMERS, "orders": PURCHASES, "quantity": QUANTITY, "cents": CENTS}
# Lines that say what another line says: the same customer bought the same for the same on one day.
EQUAL_LINES = 255
_BATCHES_UNTIL_KILLED = """
import sys, django
django.setup()
from datetime import UTC, datetime
from uuid import UUID
from apps.crm.services.imports import batches
from tenants.isolation import tenant_context
from tenants.models import Tenant
tenant, job_id = Tenant.objects.get(slug="acme"), UUID(sys.argv[1])
with tenant_context(tenant):
    batches.begin(import_id=job_id, now=datetime.now(UTC))
    while batches.advance(import_id=job_id, now=datetime.now(UTC)):
        pass
"""


def upload(client, status=202, **fields):
    with CDNOW.open("rb") as file:
        return client.upload(IMPORTS, {"file": file, **fields}, status=status)


def facts() -> dict[str, int]:
    sums = Order.objects.aggregate(quantity=Sum("quantity"), cents=Sum("amount_minor"))
    return {"contacts": Contact.objects.count(), "orders": Order.objects.count(), **sums}


def used(client) -> int:
    meters = client.get("/api/v1/usage")["meters"]
    return next(meter["used"] for meter in meters if meter["meter"] == "contacts")


@pytest.mark.django_db
def test_the_whole_file_comes_in_as_it_is_and_a_second_time_adds_nothing(acme, api, work, uploads):
    client = api(acme)
    began = time.process_time()
    started = upload(client)
    assert (started["status"], started["rows_total"], started["rows_failed"]) == (
        "queued",
        PURCHASES,
        0,
    )
    assert started["mapping"] == {
        "customer_id": "external_id",
        "date": "ordered_on",
        "number_of_cds": "quantity",
        "dollar_value": "amount",
    }

    job = work(acme, started["id"])

    assert time.process_time() - began < 20
    assert (job.status, job.rows_done, job.rows_failed, job.rows_left_out) == (
        "completed",
        PURCHASES,
        0,
        0,
    )
    assert (job.contacts_created, job.contacts_updated, job.orders_created) == (
        CUSTOMERS,
        0,
        PURCHASES,
    )
    with tenant_context(acme):
        assert facts() == WHOLE
        first = Contact.objects.get(external_id="00001")
        assert first.email == "cdnow-00001@example.test"
        order = first.orders.get()
        assert (order.ordered_on, order.quantity, order.amount_minor, order.currency) == (
            date(1997, 1, 1), 1, 1_177, "USD",
        )  # fmt: skip
        assert Order.objects.filter(occurrence__gt=1).count() == EQUAL_LINES
        assert ImportRow.objects.count() == 0
    assert used(client) == CUSTOMERS

    again = work(acme, upload(client)["id"])
    assert (again.status, again.rows_done, again.contacts_created, again.orders_created) == (
        "completed", PURCHASES, 0, 0,
    )  # fmt: skip
    with tenant_context(acme):
        assert facts() == WHOLE
    assert used(client) == CUSTOMERS


@pytest.mark.django_db
def test_a_file_beyond_the_plan_says_so_before_it_starts_and_leaves_nothing(globex, api, uploads):
    client = api(globex)

    refused = upload(client, status=402)

    wanted = ("code", "meter", "limit", "used", "asked", "upgrade_to")
    assert {name: refused[name] for name in wanted} == {
        "code": "quota_exceeded",
        "meter": "contacts",
        "limit": 5_000,
        "used": 0,
        "asked": CUSTOMERS,
        "upgrade_to": "growth",
    }
    assert client.get(IMPORTS)["results"] == []
    assert used(client) == 0
    with tenant_context(globex):
        assert (Contact.objects.count(), ImportRow.objects.count()) == (0, 0)
    assert [path for path in uploads.rglob("*") if path.is_file()] == []


@pytest.mark.django_db
def test_an_import_that_meets_the_limit_stops_at_a_whole_batch_and_goes_on_after_an_upgrade(
    globex, api, work, allow
):
    client = api(globex)
    started = upload(client, allow_partial="true")

    stopped = work(globex, started["id"])

    assert (stopped.status, stopped.stopped_reason) == ("completed_with_errors", "quota_exceeded")
    assert stopped.rows_done + stopped.rows_left_out == PURCHASES
    assert stopped.rows_done % 100 == 0
    assert 4_900 < stopped.contacts_created <= 5_000
    assert used(client) == stopped.contacts_created
    with tenant_context(globex):
        assert facts()["contacts"] == stopped.contacts_created
        assert facts()["orders"] == stopped.rows_done

    address = f"{IMPORTS}/{started['id']}/resume"
    refused = client.post(address, status=402)
    assert (refused["code"], refused["asked"]) == (
        "quota_exceeded", CUSTOMERS - stopped.contacts_created,
    )  # fmt: skip

    allow(globex, CUSTOMERS)
    assert client.post(address, status=202)["status"] == "queued"
    finished = work(globex, started["id"])

    assert (finished.status, finished.rows_done, finished.rows_left_out) == (
        "completed",
        PURCHASES,
        0,
    )
    assert used(client) == CUSTOMERS
    with tenant_context(globex):
        assert facts() == WHOLE
    assert client.post(address, status=409)["code"] == "import_not_resumable"


@pytest.mark.django_db(transaction=True)
@pytest.mark.timeout(300)
def test_a_worker_killed_at_any_moment_loses_nothing_and_doubles_nothing(acme, api, work, uploads):
    client = api(acme)
    job_id = upload(client)["id"]
    seen = [0]
    for _kill in range(3):
        seen.append(rows_done_when_killed(acme, job_id, seen[-1], uploads))

    finished = work(acme, job_id)

    assert seen == sorted(set(seen))
    assert (finished.status, finished.rows_done, finished.contacts_created, finished.orders_created) == (
        "completed", PURCHASES, CUSTOMERS, PURCHASES,
    )  # fmt: skip
    assert used(client) == CUSTOMERS
    with tenant_context(acme):
        assert facts() == WHOLE


def rows_done_when_killed(tenant, job_id: str, before: int, uploads) -> int:
    """Let a process of its own work until it has done more, and kill -9 it."""
    worker = subprocess.Popen(
        [sys.executable, "-W", "ignore", "-c", _BATCHES_UNTIL_KILLED, job_id],
        cwd=REPOSITORY,
        env=environment_here(PLAZA_FILES=str(uploads)),
    )
    try:
        deadline = time.monotonic() + 60
        while rows_done(tenant, job_id) <= before + 2_000:
            assert worker.poll() is None, "the worker ended before it could be killed"
            assert time.monotonic() < deadline
            time.sleep(0.01)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
    return rows_done(tenant, job_id)


def rows_done(tenant, job_id: str) -> int:
    with tenant_context(tenant):
        return Import.objects.get(pk=job_id).rows_done


@pytest.mark.django_db
def test_a_batch_that_fails_in_the_middle_leaves_nothing_and_the_next_run_goes_on(
    acme, api, now, work
):
    client = api(acme)
    job_id = upload(client)["id"]
    with tenant_context(acme):
        batches.begin(import_id=job_id, now=now)
        assert batches.advance(import_id=job_id, now=now)
        before = facts()
        # The next batch's orders fail after its contacts were written.
        with owners_cursor(acme) as cursor:
            cursor.execute("ALTER TABLE crm_order RENAME TO crm_order_away")
        with pytest.raises(ProgrammingError, match="crm_order"):
            batches.advance(import_id=job_id, now=now)
        with owners_cursor(acme) as cursor:
            cursor.execute("ALTER TABLE crm_order_away RENAME TO crm_order")
        assert facts() == before
        assert used(client) == before["contacts"]

    assert work(acme, job_id).status == "completed"
    with tenant_context(acme):
        assert facts() == WHOLE
