"""The supervisor over small programs: crashes, hopeless cases, leftovers."""

import contextlib
import io
import json
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from config.local.leftovers import MARK, Register
from config.local.processes import Child, Command, start
from config.local.signals import StopAsked, StopRequest
from config.local.supervisor import Service, Supervisor
from config.local.terminal import Terminal
from config.local.trouble import Trouble
from tests.config.local_runs import await_end, clean_environment, exists


def _service(folder: Path, code: str, **more: Any) -> Service:
    def spawn(mark: dict[str, str]) -> Child:
        return start(
            Command(
                name="small",
                argv=(sys.executable, "-c", code),
                log=folder / "small.log",
                environment=clean_environment() | mark,
                folder=folder,
            )
        )

    is_ready = more.pop("is_ready", lambda _: (folder / "ready").exists())
    return Service("small", lambda: "Small", spawn, is_ready, 0, **more)


@pytest.fixture
def supervisor(tmp_path):
    found = Supervisor(
        Terminal(io.StringIO()), Register(tmp_path / "processes.json"), StopRequest()
    )
    yield found
    found.stop_all()


def _said(supervisor):
    return supervisor.terminal.stream.getvalue()


def test_crashed_service_is_reported_with_its_last_words_and_started_again(supervisor, tmp_path):
    code = (
        "import pathlib, sys, time\n"
        "again = pathlib.Path('ready').exists()\n"
        "pathlib.Path('ready').touch()\n"
        "time.sleep(60 if again else 0.5)\n"
        "sys.exit('the roof fell in')"
    )
    service = _service(tmp_path, code)
    supervisor.launch(service)

    supervisor.watch(until=lambda: "again ready" in _said(supervisor))

    assert "! Small ended by itself (exit code 1). Its last words:\n  │ the roof fell in" in _said(
        supervisor
    )
    assert "starting it again in 0.5 s" in _said(supervisor)


def test_service_that_never_starts_is_given_up_with_its_log_named(supervisor, tmp_path):
    service = _service(tmp_path, "import sys; sys.exit('SECRET_KEY is not set')")
    supervisor.launch(service)

    with pytest.raises(Trouble) as refusal:
        supervisor.await_ready(service)

    assert refusal.value.what == "Small crashed 2 times in a row: giving up."
    assert str(tmp_path / "small.log") in refusal.value.todo
    assert "SECRET_KEY is not set" in _said(supervisor)


def test_service_that_stays_silent_is_given_up_after_its_time(supervisor, tmp_path):
    service = _service(tmp_path, "import time; time.sleep(60)", patience_seconds=0.3)
    supervisor.launch(service)

    with pytest.raises(Trouble, match="did not become ready"):
        supervisor.await_ready(service)


def test_service_that_ignores_the_stop_is_killed_and_a_second_request_hastens_it(
    supervisor, tmp_path
):
    code = (
        "import signal, time; signal.signal(15, signal.SIG_IGN); open('ready', 'w'); time.sleep(60)"
    )
    service = _service(tmp_path, code, stop_seconds=0.3)
    supervisor.launch(service)
    supervisor.await_ready(service)
    assert service.child is not None
    pid = service.child.pid

    supervisor.stop_all()

    assert not exists(pid)
    assert "did not stop in time: killed" in _said(supervisor)


def test_what_a_killed_service_started_itself_is_ended_too(supervisor, tmp_path):
    code = (
        "import subprocess, time\n"
        "child = subprocess.Popen(['sleep', '60'])\n"
        "open('ready', 'w').write(str(child.pid))\n"
        "time.sleep(60)"
    )
    service = _service(tmp_path, code)
    supervisor.launch(service)
    supervisor.await_ready(service)
    time.sleep(0.1)
    grandchild = int((tmp_path / "ready").read_text())

    assert service.child is not None
    service.child.process.kill()
    supervisor.watch(until=lambda: "ended by itself" in _said(supervisor))

    await_end(grandchild)


def test_request_to_stop_ends_a_wait_at_once(supervisor, tmp_path):
    service = _service(tmp_path, "import time; time.sleep(60)")
    supervisor.launch(service)
    supervisor.stop.count = 1

    with pytest.raises(StopAsked):
        supervisor.await_ready(service)


def test_leftovers_are_ended_by_record_and_mark_and_strangers_are_spared(tmp_path):
    register = Register(tmp_path / "processes.json")
    stubborn = "import signal, time; signal.signal(15, signal.SIG_IGN); print(1, flush=True); time.sleep(60)"
    plain = ["sleep", "60"]
    recorded = start(
        Command(
            "web", (sys.executable, "-c", stubborn), tmp_path / "log", clean_environment(), tmp_path
        )
    )
    marked = subprocess.Popen(plain, env=clean_environment() | {MARK: register.mark})
    stranger = subprocess.Popen(plain, env=clean_environment() | {MARK: "another run"})
    register.add(recorded)
    told = json.loads((tmp_path / "processes.json").read_text())
    told["children"]["beat"] = [stranger.pid, 1, int(signal.SIGTERM)]  # a number used again
    (tmp_path / "processes.json").write_text(json.dumps(told))

    with contextlib.ExitStack() as ends:
        ends.callback(stranger.kill)
        recorded.process.send_signal(signal.SIGSTOP)  # deaf to anything but SIGKILL
        found = _end_quickly(tmp_path / "processes.json")

        assert found == ["web"]
        assert recorded.wait(5)
        assert marked.wait(5) == -signal.SIGTERM
        assert stranger.poll() is None
    stranger.wait()
    assert not (tmp_path / "processes.json").exists()


def _end_quickly(path):
    return Register(path).end_leftovers(polite_seconds=0.5)
