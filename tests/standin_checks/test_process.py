"""`python -m tests.standins`, as `make up` starts it, and the memory under all stand-ins."""

import json
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import requests
import stripe

from tests.standin_checks.conftest import API_KEY
from tests.standin_checks.receiver import Receiver
from tests.standins.clock import Agenda, Clock
from tests.standins.mail import MailStandin
from tests.standins.store import Store

ROOT = Path(__file__).resolve().parents[2]


def _started(home: Path, *options: str) -> "subprocess.Popen[str]":
    command = [sys.executable, "-m", "tests.standins", "--home", str(home), *options]
    return subprocess.Popen(
        command, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


def test_one_process_says_its_ports_serves_plaza_and_ends_on_sigterm(
    tmp_path: Path, receiver: Receiver
) -> None:
    process = _started(
        tmp_path,
        *("--plaza-url", f"http://127.0.0.1:{receiver.port}"),
        *("--plaza-host", "plaza.localhost", "--stripe-webhook-secret", "whsec_x"),
    )
    assert process.stdout is not None
    ports = json.loads(process.stdout.readline())
    address = f"http://127.0.0.1:{ports['stripe_port']}"
    client = stripe.StripeClient(API_KEY, base_addresses={"api": address})
    client.v1.customers.create({"email": "a@acme.test"})
    arrival = receiver.wait_for(1)[0]
    process.send_signal(signal.SIGTERM)

    assert process.wait(timeout=10) == 0
    assert sorted(ports) == ["mail_port", "paypal_port", "smtp_port", "stripe_port"]
    assert arrival.headers["Host"] == f"plaza.localhost:{receiver.port}"
    stripe.Webhook.construct_event(arrival.body, arrival.headers["Stripe-Signature"], "whsec_x")


def test_a_taken_port_is_said_in_one_line(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        process = _started(tmp_path, "--stripe-port", str(port))
        out, complaint = process.communicate(timeout=20)

    assert (process.returncode, out) == (1, "")
    assert complaint.startswith("the stand-ins cannot start: ")
    assert complaint.count("\n") == 1


@pytest.mark.parametrize(
    "headers", [{"Host": "evil.test"}, {"Origin": "https://evil.test"}, {"Origin": "null"}]
)
def test_a_page_of_another_site_is_not_served(headers: dict[str, str]) -> None:
    with MailStandin() as sink:
        answer = requests.post(f"{sink.url}/_standin/reset", headers=headers, timeout=5)

    assert answer.status_code == 421


def test_a_failure_takes_back_its_own_writes_only(tmp_path: Path) -> None:
    store = Store(tmp_path / "x.sqlite")

    def half_done() -> None:
        with store.transaction():
            store.put("thing", "a", {"n": 2})
            store.delete("thing", "b")
            raise RuntimeError

    with store.transaction():
        store.put("thing", "a", {"n": 1})
        store.put("thing", "b", {"n": 1})
        with pytest.raises(RuntimeError):
            half_done()
        store.put("thing", "c", {"n": 3})
    store.close()

    assert Store(tmp_path / "x.sqlite").find("thing") == [{"n": 1}, {"n": 1}, {"n": 3}]


def test_what_readers_get_is_theirs() -> None:
    store = Store()
    with store.transaction():
        store.put("thing", "a", {"list": [1]})

    found: Any = store.get("thing", "a")
    found["list"].append(2)

    assert store.get("thing", "a") == {"list": [1]}


def test_what_is_promised_is_done_in_order_of_time_each_at_its_own_moment() -> None:
    store = Store()
    clock = Clock(store)
    agenda = Agenda(store, clock)
    done: list[tuple[str, int]] = []

    def act(subject: str) -> None:
        done.append((subject, clock.now()))
        if subject == "first":
            agenda.add(150, "act", "between")

    agenda.on("act", act)
    with store.transaction():
        agenda.add(200, "act", "second")
        agenda.add(100, "act", "first")
        agenda.add(999, "act", "later")

    assert agenda.run(until=200) == 3
    assert done == [("first", 100), ("between", 150), ("second", 200)]
    assert store.count("agenda") == 1


def test_what_failed_stays_promised() -> None:
    store = Store()
    agenda = Agenda(store, Clock(store))
    failures = [RuntimeError("not yet")]

    def act(_: str) -> None:
        if failures:
            raise failures.pop()

    agenda.on("act", act)
    with store.transaction():
        agenda.add(100, "act", "x")

    with pytest.raises(RuntimeError):
        agenda.run(until=100)
    assert agenda.run(until=100) == 1
