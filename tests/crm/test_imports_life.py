"""How an import is forecast, cancelled, stopped, resumed and woken."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import connection

from apps.crm import tasks
from apps.crm.models import Contact, Import, ImportRow
from apps.crm.services.imports import batches, jobs, sweeping
from config.messages import TENANT_HEADER
from config.models import OutboxMessage
from tenants.isolation import tenant_context
from tests.crm.files import text_file
from tests.factories import ContactFactory, ImportFactory, ImportRowFactory

pytestmark = pytest.mark.django_db
IMPORTS = "/api/v1/imports"


def rows(count: int, start: int = 0) -> str:
    return "email\n" + "".join(f"p{number}@x.test\n" for number in range(start, start + count))


def test_a_dry_run_says_what_would_happen_and_keeps_nothing(acme, api, allow):
    allow(acme, 3)
    client = api(acme)
    with tenant_context(acme):
        ContactFactory(email="p0@x.test")
    file = text_file(
        "email,colour\n"
        + "p0@x.test,red\np1@x.test,\np1@x.test,\np2@x.test,\np3@x.test,\nnobody,\n"
    )

    forecast = client.upload(IMPORTS, {"file": file, "dry_run": "true"}, status=200)

    assert {name: forecast[name] for name in ("rows_total", "rows_failed", "contacts_new")} == {
        "rows_total": 6, "rows_failed": 1, "contacts_new": 3,
    }  # fmt: skip
    assert (forecast["mapping"], forecast["ignored_columns"]) == ({"email": "email"}, ["colour"])
    assert forecast["errors"] == [{"row": 7, "reasons": ["email: This is not an e-mail address."]}]
    assert forecast["refusal"] is None
    allow(acme, 2)
    file.seek(0)
    refusal = client.upload(IMPORTS, {"file": file, "dry_run": "true"}, status=200)["refusal"]
    assert (refusal["code"], refusal["asked"]) == ("quota_exceeded", 3)
    with tenant_context(acme):
        assert (Import.objects.count(), ImportRow.objects.count(), Contact.objects.count()) == (
            0,
            0,
            1,
        )


def test_an_upload_under_one_key_is_one_import(acme, api, uploads):
    client = api(acme)
    answers = [
        client.upload(IMPORTS, {"file": text_file(rows(3))}, Idempotency_Key="once")
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    reused = {"file": text_file(rows(4))}
    assert client.upload(IMPORTS, reused, status=422, Idempotency_Key="once")["code"]
    assert len(client.get(IMPORTS)["results"]) == 1
    assert len([path for path in uploads.rglob("*") if path.is_file()]) == 1


def test_a_plan_that_shrinks_meanwhile_stops_the_import_and_an_upgrade_goes_on(
    acme, api, work, allow
):
    client = api(acme)
    allow(acme, 150)
    job_id = client.upload(IMPORTS, {"file": text_file(rows(150))})["id"]
    allow(acme, 120)

    stopped = work(acme, job_id)
    assert (stopped.stopped_reason, stopped.rows_done, stopped.rows_left_out) == (
        "quota_exceeded",
        100,
        50,
    )
    assert client.post(f"{IMPORTS}/{job_id}/resume", status=402)["asked"] == 50
    client.post(f"{IMPORTS}/{job_id}/resume", {"allow_partial": True}, status=202)
    assert work(acme, job_id).rows_left_out == 50

    allow(acme, 150)
    client.post(f"{IMPORTS}/{job_id}/resume", status=202)
    assert work(acme, job_id).rows_done == 150


def test_a_cancelled_import_keeps_what_is_done_and_goes_on_with_the_rest_when_resumed(
    acme, api, now, work, uploads
):
    client = api(acme)
    job_id = client.upload(IMPORTS, {"file": text_file(rows(1_500))})["id"]
    with tenant_context(acme):
        batches.begin(import_id=job_id, now=now)
        batches.advance(import_id=job_id, now=now)

    answer = client.post(f"{IMPORTS}/{job_id}/cancel", status=200)

    assert (answer["status"], answer["rows_done"], answer["rows_left_out"]) == (
        "cancelled",
        1_000,
        500,
    )
    assert work(acme, job_id).rows_done == 1_000
    assert client.post(f"{IMPORTS}/{job_id}/cancel", status=409)["code"] == "import_not_under_way"
    assert client.post(f"{IMPORTS}/{job_id}/resume", status=202)["rows_left_out"] == 0
    resumed = work(acme, job_id)
    assert (resumed.status, resumed.stopped_reason, resumed.rows_done) == ("completed", "", 1_500)
    assert client.post(f"{IMPORTS}/{job_id}/resume", status=409)["code"] == "import_not_resumable"
    with tenant_context(acme):
        assert (Contact.objects.count(), ImportRow.objects.count()) == (1_500, 0)


@pytest.mark.parametrize(
    ("limit", "status", "reason"), [(500, "completed", ""), (5, "failed", "quota_exceeded")]
)
def test_a_large_file_is_checked_by_the_task(
    acme, api, work, allow, monkeypatch, limit, status, reason
):
    allow(acme, limit)
    monkeypatch.setattr(jobs, "CHECKED_AT_ONCE_BYTES", 10)
    client = api(acme)
    started = client.upload(IMPORTS, {"file": text_file(rows(20))})
    assert (started["status"], started["rows_total"]) == ("queued", 0)

    job = work(acme, started["id"])

    assert (job.status, job.stopped_reason) == (status, reason)
    assert job.rows_done == (20 if status == "completed" else 0)
    if status == "failed":
        allow(acme, 20)
        client.post(f"{IMPORTS}/{job.pk}/resume", status=202)
        assert work(acme, job.pk.hex).rows_done == 20


def test_a_large_file_that_is_no_good_fails_for_good(acme, api, work, monkeypatch):
    monkeypatch.setattr(jobs, "CHECKED_AT_ONCE_BYTES", 10)
    client = api(acme)
    started = client.upload(IMPORTS, {"file": text_file("email\nnobody at all\n")})
    job = work(acme, started["id"])
    assert (job.status, job.stopped_reason) == ("failed", "file_invalid")
    assert job.stopped_detail.startswith("No row can be imported.")
    assert client.post(f"{IMPORTS}/{job.pk}/resume", status=409)["code"] == "import_not_resumable"


def test_the_task_takes_turns_and_promises_the_rest(acme, api, monkeypatch):
    job_id = api(acme).upload(IMPORTS, {"file": text_file(rows(2_500))})["id"]
    OutboxMessage.objects.all().delete()
    monkeypatch.setattr(tasks, "BATCHES_IN_A_ROW", 1)

    def turn() -> Import:
        done = tasks.import_contacts.apply(
            kwargs={"import_id": job_id}, headers={TENANT_HEADER: str(acme.id)}, throw=True
        )
        assert done.successful()
        with tenant_context(acme):
            return Import.objects.get(pk=job_id)

    assert [turn().rows_done for _ in range(3)] == [1_000, 2_000, 2_500]
    assert turn().status == "completed"
    promised = OutboxMessage.objects.values_list("task", "arguments", "headers")
    assert {name for name, _arguments, _headers in promised} == {"crm.import_contacts"}
    assert all(headers[TENANT_HEADER] == str(acme.id) for _name, _arguments, headers in promised)


def test_imports_whose_worker_fell_silent_are_woken_in_every_tenant(acme, globex, now):
    long_ago = now - timedelta(minutes=2)
    with tenant_context(acme):
        silent = ImportFactory(status="running", heartbeat_at=long_ago)
        ImportFactory(status="running", heartbeat_at=now)
        ImportFactory(status="completed", heartbeat_at=long_ago, finished_at=long_ago)
    with tenant_context(globex):
        other = ImportFactory(status="queued", heartbeat_at=long_ago)

    assert tasks.resume_imports_everywhere.apply(throw=True).result == 2
    assert tasks.resume_imports_everywhere.apply(throw=True).result == 0

    woken = {
        (row.arguments["import_id"], row.headers[TENANT_HEADER])
        for row in OutboxMessage.objects.all()
    }
    assert woken == {(str(silent.pk), str(acme.id)), (str(other.pk), str(globex.id))}


def test_an_import_that_fails_each_time_is_given_up_and_can_be_resumed(acme, api, now):
    with tenant_context(acme):
        job = ImportFactory(status="running", staged_at=now, attempts=5)
        ImportRowFactory(job=job)
        assert batches.begin(import_id=job.pk, now=now) is False
        job.refresh_from_db()
    assert (job.status, job.stopped_reason) == ("failed", "gave_up")
    assert api(acme).post(f"{IMPORTS}/{job.pk}/resume", status=202)["status"] == "queued"


@pytest.mark.parametrize(
    ("status", "reason"),
    [("completed_with_errors", "quota_exceeded"), ("cancelled", "cancelled")],
)
def test_what_nobody_came_back_for_is_dropped_after_a_month(acme, api, now, status, reason):
    with tenant_context(acme):
        job = ImportFactory(
            status=status, stopped_reason=reason, staged_at=now,
            finished_at=now - timedelta(days=31),
        )  # fmt: skip
        ImportRowFactory(job=job)
        assert (sweeping.drop_left_over(now=now), sweeping.drop_left_over(now=now)) == (1, 0)
        assert ImportRow.objects.count() == 0
    assert (
        api(acme).post(f"{IMPORTS}/{job.pk}/resume", status=409)["code"] == "import_not_resumable"
    )


@pytest.mark.django_db(transaction=True)
def test_two_workers_on_one_import_share_it(acme, api, now):
    """As when a message comes twice: each takes the next batch, none is taken twice."""
    job_id = api(acme).upload(IMPORTS, {"file": text_file(rows(5_000))})["id"]

    def work() -> int:
        try:
            with tenant_context(acme):
                batches.begin(import_id=job_id, now=now)
                return sum(
                    1 for _turn in iter(lambda: batches.advance(import_id=job_id, now=now), False)
                )
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        turns = [future.result() for future in [pool.submit(work), pool.submit(work)]]

    assert sum(turns) == 5
    with tenant_context(acme):
        job = Import.objects.get(pk=job_id)
        assert (job.status, job.rows_done, job.contacts_created) == ("completed", 5_000, 5_000)
        assert Contact.objects.count() == 5_000
