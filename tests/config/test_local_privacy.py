"""What the logs and the list of processes show: events as JSON, and nobody's values or secrets."""

import json
import socket
from pathlib import Path

import psycopg
import pytest

from config.local.secrets import secrets_of
from tests.config.conftest import SERVERS
from tests.config.local_runs import clean_environment
from tests.standins.__main__ import arguments


def test_refused_row_leaves_none_of_its_values_in_the_log(up, home):
    run = up(SERVERS)
    address = json.loads(home.environment.read_text())["DATABASE_OWNER_URL"]
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("CREATE TABLE people (email text PRIMARY KEY, age int)")
        add = "INSERT INTO people VALUES (%s, %s)"
        connection.execute(add, ["planted@example.test", 1])
        with pytest.raises(psycopg.errors.UniqueViolation, match=r"planted@example\.test"):
            connection.execute(add, ["planted@example.test", 2])
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("SELECT 'planted@example.test'::uuid")
        with pytest.raises(psycopg.errors.InvalidTextRepresentation):
            connection.execute("INSERT INTO people VALUES ('x', %s)", ["planted@example.test"])
    assert run.stop() == 0

    log = home.log("postgres").read_text()
    assert "database system is ready" in log
    assert "planted" not in log


def test_webhook_secrets_are_on_no_command_line(up, home):
    up("standins")
    secrets = secrets_of(home)
    pid, *_ = json.loads(home.processes.read_text())["children"]["standins"]

    line = Path(f"/proc/{pid}/cmdline").read_text()

    assert "tests.standins" in line
    for name in ("STRIPE_WEBHOOK_SECRET", "PAYPAL_WEBHOOK_ID"):
        assert secrets[name] not in line
        assert f"{name}={secrets[name]}" in Path(f"/proc/{pid}/environ").read_text()


def test_stand_ins_take_the_webhook_secrets_of_their_environment(monkeypatch):
    monkeypatch.setenv("STRIPE_WEBHOOK_SECRET", "whsec_given")
    monkeypatch.setenv("PAYPAL_WEBHOOK_ID", "WHGIVEN")
    taken = arguments(["--home", "x"])
    assert (taken.stripe_webhook_secret, taken.paypal_webhook_id) == ("whsec_given", "WHGIVEN")

    named = arguments(["--home", "x", "--stripe-webhook-secret", "whsec_named"])
    assert named.stripe_webhook_secret == "whsec_named"

    for name in ("STRIPE_WEBHOOK_SECRET", "PAYPAL_WEBHOOK_ID"):
        monkeypatch.delenv(name)
    taken = arguments(["--home", "x"])
    assert (taken.stripe_webhook_secret, taken.paypal_webhook_id) == ("whsec_standin", "WHSTANDIN")


def test_every_line_of_the_applications_logs_is_json(launch, home):
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
    run = launch("up", "--home", home.folder, environment=clean_environment(PLAZA_PORT=str(port)))
    run.await_words("✓ Worker ready", seconds=90)
    run.await_words("✓ Beat ready")
    assert run.stop() == 0, run.said

    for name in ("web", "worker", "beat"):
        lines = home.log(name).read_text().splitlines()
        assert lines, name
        for line in lines:
            assert "event" in json.loads(line), f"{name}.log: {line}"
