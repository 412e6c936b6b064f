"""The whole product as `make up` runs it, on a free port in a home of its own, for the journeys."""

import contextlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx

REPOSITORY = Path(__file__).resolve().parent.parent
_SERVERS = ("DATABASE_URL", "DATABASE_SQUARE_URL", "DATABASE_OWNER_URL", "REDIS_URL")
_START_SECONDS = 120


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Plaza:
    """A running Plaza. `square()` and `stall(slug)` are HTTP clients of its hosts."""

    def __init__(self, home: Path, port: int, supervisor_id: int) -> None:
        self.home = home
        self.port = port
        self.supervisor_id = supervisor_id

    def client(self, host: str, **headers: str) -> httpx.Client:
        # Resolvers of programs do not know *.localhost: connect by address and send Host.
        return httpx.Client(
            base_url=f"http://127.0.0.1:{self.port}",
            headers={"Host": f"{host}:{self.port}", **headers},
            timeout=60,
            trust_env=False,
        )

    def square(self, **headers: str) -> httpx.Client:
        return self.client("plaza.localhost", **headers)

    def stall(self, slug: str, **headers: str) -> httpx.Client:
        return self.client(f"{slug}.plaza.localhost", **headers)

    def environment(self) -> dict[str, str]:
        return dict(json.loads((self.home / "environment.json").read_text()))

    def process_id(self, name: str) -> int:
        """Of a process that the supervisor runs: postgres, valkey, web, worker…"""
        running = json.loads((self.home / "processes.json").read_text())["children"]
        return int(running[name][0])

    def readiness(self) -> dict[str, Any]:
        """`/readyz`; a web server that is not there is unavailable too."""
        try:
            with self.square() as client:
                return dict(client.get("/readyz", timeout=5).json())
        except httpx.HTTPError:
            return {"status": "unavailable", "checks": {"database": "?", "redis": "?"}}

    def secret(self, name: str) -> str:
        return str(json.loads((self.home / "secrets.json").read_text())[name])

    def log_tail(self) -> str:
        parts = []
        for file in sorted((self.home / "logs").glob("*.log")):
            lines = file.read_text(errors="replace").splitlines()[-30:]
            parts.append(f"--- {file.name}\n" + "\n".join(lines))
        return "\n".join(parts)


@contextlib.contextmanager
def running_plaza(home: Path, *, keep_servers: bool, **more: str) -> Iterator[Plaza]:
    """Start it, wait until it is ready, stop it as Ctrl-C does. `keep_servers` uses those of the environment.

    `more` are variables of its environment.
    """
    port = free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(
            ("PYTEST", "DJANGO_", "STRIPE", "PAYPAL", "PLAZA", "EMAIL", "SECRET", "TOKEN")
        )
        and (keep_servers or name not in _SERVERS)
    }
    environment |= {"PLAZA_HOME": str(home), "PLAZA_PORT": str(port), "PLAZA_ENV": "local", **more}
    process = subprocess.Popen(
        [sys.executable, "-m", "config.local", "up"],
        cwd=REPOSITORY,
        env=environment,
        stdout=(home / "up.out").open("wb"),
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    plaza = Plaza(home, port, process.pid)
    try:
        _wait_until_ready(plaza, process)
        yield plaza
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
        # As root PostgreSQL's data may lie outside of `home`, where its user can reach them.
        subprocess.run(
            [sys.executable, "-m", "config.local", "reset"],
            cwd=REPOSITORY,
            env=environment,
            check=True,
            stdout=subprocess.DEVNULL,
        )


def _wait_until_ready(plaza: Plaza, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + _START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        with contextlib.suppress(httpx.HTTPError), plaza.square() as client:
            if client.get("/readyz", timeout=2).status_code == 200:
                return
        time.sleep(0.2)
    said = (plaza.home / "up.out").read_text(errors="replace")
    raise AssertionError(f"Plaza did not come up:\n{said}\n{plaza.log_tail()}")


def eventually(ask: Callable[[], Any], *, seconds: float = 60) -> Any:
    """The first true answer of `ask`, or an AssertionError with the last one."""
    deadline = time.monotonic() + seconds
    while True:
        answer = ask()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"Not within {seconds} s; last answer: {answer!r}")
        time.sleep(0.2)


def hidden_fields(page: str) -> dict[str, str]:
    """The hidden inputs of a form, as a browser would send them."""
    found = {}
    for tag in re.findall(r"<input[^>]*type=[\"']hidden[\"'][^>]*>", page):
        name = re.search(r"name=[\"']([^\"']+)", tag)
        value = re.search(r"value=[\"']([^\"']*)", tag)
        if name:
            found[name.group(1)] = value.group(1) if value else ""
    return found
