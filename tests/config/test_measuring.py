"""`/metrics/platform` tells how the servers stand, and `/metrics` what all processes of a container counted."""

import os
import subprocess
import sys
from datetime import UTC, datetime, timedelta
from urllib.request import urlopen

import pytest
import redis
from celery.app.routes import prepare
from django.conf import settings as ours
from prometheus_client.parser import text_string_to_metric_families

from config import metrics_folder
from config.celery import app, later
from config.ids import new_id
from config.measuring import UP, declared, exposition
from config.metrics_server import serve_metrics
from config.models import OutboxMessage
from quotas.active import active_people, note_active
from tests.stack import free_port
from tests.tenants.identity.people import browser

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def told(text: str) -> dict[str, float]:
    """`name{values}` of every sample, the values in the order of their labels' names."""
    return {
        f"{sample.name}{{{','.join(value for _label, value in sorted(sample.labels.items()))}}}": sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


@pytest.mark.django_db
def test_every_measure_can_be_read_and_counts_what_is_there(acme):
    before = told(exposition(now=datetime.now(UTC)).decode())
    OutboxMessage.objects.create(task="x", arguments={}, headers={})
    OutboxMessage.objects.update(created_at=datetime.now(UTC) - timedelta(seconds=90))

    found = told(exposition(now=datetime.now(UTC)).decode())

    assert {name: found[f"{UP}{{{name}}}"] for name in declared()} == dict.fromkeys(declared(), 1)
    assert found["plaza_outbox_messages{}"] == before["plaza_outbox_messages{}"] + 1
    assert 90 <= found["plaza_outbox_oldest_seconds{}"] < 120
    assert found["plaza_tenants{active}"] >= 1
    assert found["plaza_fleet_tenants{set_aside}"] == 0


@pytest.mark.django_db
def test_a_measure_that_fails_is_told_and_the_others_are_there(settings):
    settings.CELERY_BROKER_URL = f"redis://127.0.0.1:{free_port()}/0"
    found = told(exposition(now=datetime.now(UTC)).decode())

    assert found[f"{UP}{{plaza_queue_depth}}"] == 0
    assert found[f"{UP}{{plaza_outbox_messages}}"] == 1
    assert [name for name in found if name.startswith("plaza_queue_depth")] == []


@pytest.mark.django_db
@pytest.mark.parametrize(("asker", "status"), [("10.1.2.3", 200), ("9.9.9.9", 404)])
def test_they_are_for_who_scrapes_from_our_own_network(asker, status):
    assert browser().get("/metrics/platform", REMOTE_ADDR=asker).status_code == status


@pytest.mark.django_db(transaction=True)
def test_a_queue_tells_how_long_its_next_message_has_waited(monkeypatch):
    queue = f"probe-{new_id().hex}"
    monkeypatch.setitem(app.conf.task_routes, "config.clear_sessions", {"queue": queue})
    # Whoever sent a message before has made the router.
    monkeypatch.setattr(app.amqp, "_rtable", prepare(app.conf.task_routes))
    monkeypatch.setitem(vars(app.amqp), "router", app.amqp.Router())

    later("config.clear_sessions", lossy=True)

    found = told(exposition(now=datetime.now(UTC) + timedelta(seconds=40)).decode())
    assert found[f"plaza_queue_depth{{{queue}}}"] == 1
    assert 40 <= found[f"plaza_queue_oldest_seconds{{{queue}}}"] < 60


def test_who_is_at_work_is_counted_once_in_a_day_of_24_hours(settings):
    redis_server = redis.Redis.from_url(settings.REDIS_URL)
    note_active(redis_server, ["member:1", "member:2", ""], now=NOW - timedelta(hours=25))
    note_active(redis_server, ["member:2", "member:3"], now=NOW - timedelta(hours=23))
    note_active(redis_server, ["member:3", "api_key:4"], now=NOW)

    assert active_people(redis_server, now=NOW) == 3


def test_processes_of_one_folder_are_told_together_and_the_dead_are_not_at_work(tmp_path):
    count = (
        "from config.request_metrics import IN_FLIGHT, REQUESTS\n"
        "IN_FLIGHT.inc()\n"
        "REQUESTS.labels(method='GET', endpoint='/x', status='200').inc()\n"
    )
    tell = (
        "from prometheus_client import CollectorRegistry, generate_latest, multiprocess as m\n"
        "registry = CollectorRegistry(); m.MultiProcessCollector(registry)\n"
        "print(generate_latest(registry).decode())\n"
    )
    environment = os.environ | {"PROMETHEUS_MULTIPROC_DIR": str(tmp_path)}

    def run(code: str) -> str:
        ran = [sys.executable, "-c", code]
        return subprocess.run(
            ran, cwd=ours.BASE_DIR, env=environment, check=True, capture_output=True, text=True
        ).stdout

    for _process in range(2):
        run(count)
    with_the_dead = told(run(tell))
    metrics_folder.forget_the_dead(tmp_path)
    living = told(run(tell))

    assert with_the_dead["plaza_requests_in_flight{}"] == 2
    assert living.get("plaza_requests_in_flight{}", 0) == 0
    assert living["http_requests_total{/x,GET,200}"] == 2


def test_a_worker_serves_its_numbers_at_the_port_that_it_is_given(settings):
    settings.PLAZA_METRICS_PORT = free_port()
    serve_metrics()

    with urlopen(f"http://127.0.0.1:{settings.PLAZA_METRICS_PORT}/metrics", timeout=5) as answer:
        assert "plaza_requests_in_flight{}" in told(answer.read().decode())
