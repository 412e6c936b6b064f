"""Every statement that the product sends for a tenant can be answered by the tenant's node alone."""

import io
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from django.conf import settings
from django.db import connection

from apps.crm.models import Import
from apps.crm.services.imports import batches, staging
from config.celery import app as celery_app
from config.checks import routes
from tenants.citus.lint import lint
from tenants.citus.names import Names, names_of
from tenants.citus.reading import read
from tenants.isolation import tenant_context
from tests import factories
from tests.test_isolation import FOREIGN, WORDS, noun_of, spelled

pytestmark = pytest.mark.django_db
# They run, and reach the node where the cluster is set up as deploy/citus.md says.
NEEDS_SETTING = {"local-setting"}
CONTACT = {"email": "ada@x.test", "first_name": "Ada", "last_name": "Byron", "tags": ["vip"]}
BODIES: dict[str, dict[str, Any]] = {
    "contacts": CONTACT,
    "companies": {"name": "Engines Ltd"},
    "tags": {"name": "vip"},
    "campaigns": {"name": "Spring", "type": "email"},
    "briefs": {"name": "Launch", "objective": "Sell", "channels": ["email"], "languages": ["en"]},
}
QUESTIONS = [
    "contacts?search=ada&ordering=-created_at&created_at__gte=2020-01-01T00:00:00Z&archived=true",
    "orders?search=x&ordering=-ordered_on&ordered_on__gte=1998-06-01",
    "companies?search=x",
    "campaigns?status=draft",
    "imports?status=completed",
]


@pytest.fixture(scope="module")
def names(django_db_setup: None, django_db_blocker: Any) -> Names:
    from tenants.engine.owner import owner_connection
    from tests.conftest import ACME_ID

    with django_db_blocker.unblock(), owner_connection() as owner:
        return names_of(owner, stall=f"t_{ACME_ID.hex}")


@pytest.fixture
def spoken() -> Iterator[set[str]]:
    """Every statement that goes through Django while the test runs."""
    heard: set[str] = set()

    def listen(execute: Any, sql: Any, params: Any, many: bool, context: Any) -> Any:
        heard.add(str(sql))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(listen):
        yield heard


def broken(heard: set[str], names: Names) -> list[tuple[str, str]]:
    found = [one for sql in heard for one in lint(sql, names)]
    return sorted({(one.rule, one.sql) for one in found if one.rule not in NEEDS_SETTING})


def about_tenants(heard: set[str], names: Names) -> dict[str, int]:
    """How many different statements of each verb were about a tenant's tables."""
    verbs: dict[str, int] = {}
    for sql in heard:
        statement = read(sql)
        if {name for _, name in statement.relations} & names.stall:
            verbs[statement.verb] = verbs.get(statement.verb, 0) + 1
    return verbs


def test_every_address_of_a_tenant_asked_in_every_way(acme, api, names, spoken, monkeypatch):
    monkeypatch.setattr(settings, "PLAZA_CITUS", True)
    with tenant_context(acme):
        ids = {noun: str(make().pk) for noun, make in FOREIGN.items()}
    for path, _ in routes(settings.ROOT_URLCONF):
        address, places = spelled(path)
        noun = noun_of(address)
        if path.startswith("static/") or (set(places) - set(WORDS) and noun not in ids):
            continue
        filled = WORDS | {name: ids[noun] for name in places if name not in WORDS}
        client = api(acme)  # anew, for signing out is an address too
        for verb in ("get", "post", "put", "patch", "delete"):
            send = getattr(client.client, verb)
            body = BODIES.get(noun, {})
            options = {} if verb == "get" else {"content_type": "application/json", "data": body}
            send(address.format(**filled), **options)
    client = api(acme)
    for question in QUESTIONS:
        client.client.get(f"/api/v1/{question}")
    client.client.post(
        "/api/v1/contacts?key=email", CONTACT, content_type="application/json",
        headers={"Idempotency-Key": "k1"},
    )  # fmt: skip

    assert broken(spoken, names) == []
    verbs = about_tenants(spoken, names)
    assert set(verbs) == {"select", "insert", "update", "delete"}
    assert sum(verbs.values()) >= 80


def test_an_import_from_the_file_to_the_last_batch(
    acme, api, names, spoken, now, settings, tmp_path
):
    settings.STORAGES = settings.STORAGES | {
        "default": settings.STORAGES["default"] | {"OPTIONS": {"location": tmp_path}}
    }
    rows = "\n".join(
        f"e{n},a{n}@x.test,Ada,Ltd {n % 3},vip;new,1998-01-0{1 + n % 9},2,9.50" for n in range(30)
    )
    file = io.BytesIO(
        f"external_id,email,first_name,company,tags,ordered_on,quantity,amount\n{rows}\n".encode()
    )
    file.name = "people.csv"
    with tenant_context(acme):
        factories.ContactFactory(email="a3@x.test", external_id=None)
    job_id = UUID(api(acme).upload("/api/v1/imports", {"file": file})["id"])
    with tenant_context(acme):
        if batches.begin(import_id=job_id, now=now):
            while batches.advance(import_id=job_id, now=now):
                pass
        assert Import.objects.get(pk=job_id).status == Import.Status.COMPLETED

    # COPY does not go through Django's cursors.
    assert broken(spoken | {staging._COPY}, names) == []
    assert set(about_tenants(spoken, names)) >= {"select", "insert", "update", "delete"}


def test_the_tasks_that_beat_sends_for_each_tenant(acme, names, spoken, now):
    celery_app.loader.import_default_modules()
    with tenant_context(acme):
        factories.CampaignFactory(status="scheduled", starts_at=now - timedelta(hours=1))
    tasks = [celery_app.tasks[entry["task"]] for entry in celery_app.conf.beat_schedule.values()]
    of_apps = [one for one in tasks if one.name.startswith(("crm.", "campaigns.", "content."))]
    for task in of_apps:
        task.run()

    assert len(of_apps) >= 2
    assert broken(spoken, names) == []
    assert set(about_tenants(spoken, names)) >= {"select", "update"}
