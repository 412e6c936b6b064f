"""`run`: one command with private servers around it, gone when it ends."""

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

from config.local import servers
from config.local.home import Home
from config.local.leftovers import Register
from config.local.lock import AlreadyHeld, holding
from config.local.plan import Plan, Wish, plan_for
from config.local.postgres_place import kept_folder
from config.local.processes import dying_with_us
from config.local.secrets import secrets_of
from config.local.signals import StopAsked, StopRequest
from config.local.supervisor import Supervisor
from config.local.terminal import Terminal
from config.local.trouble import Trouble

_PREFIX = "plaza-run-"
_SETTLED_SECONDS = 600
# A test must never reach a provider because a developer's shell holds a key.
# Prefixes of names.
_NOT_FOR_TESTS = (
    *("PLAZA_", "STRIPE_", "PAYPAL_", "OPENID_", "OPENAI_", "EMAIL_URL", "DEBUG"),
    *("SECRET_KEY", "TOKEN_SIGNING_KEY", "TOKEN_OTHER_KEYS"),
)


def run(wish: Wish, command: Sequence[str], terminal: Terminal) -> int:
    """Run `command` and return its exit code, as a shell does. Says nothing after it has ended.

    Raises Trouble, OSError when the servers cannot be started.
    """
    stop = StopRequest()
    stop.listen()
    environment = {
        name: value
        for name, value in wish.environment.items()
        if not name.startswith(_NOT_FOR_TESTS)
    }
    wish.home.prepare()
    try:
        with holding(wish.home.lock):
            return _run(replace(wish, environment=environment), command, terminal, stop)
    except AlreadyHeld as holder:
        raise Trouble(f"{wish.home.folder} is in use by pid {holder.pid}.") from None


def _run(wish: Wish, command: Sequence[str], terminal: Terminal, stop: StopRequest) -> int:
    register = Register(wish.home.processes)
    register.end_leftovers()
    plan = plan_for(wish, secrets_of(wish.home), stop)
    supervisor = Supervisor(terminal, register, stop)
    try:
        servers.prepare(plan)
        embedded = servers.embedded(plan)
        supervisor.launch(*embedded)
        supervisor.await_ready(*embedded)
        return _foreground(command, plan, supervisor)
    except StopAsked:
        return 128 + signal.SIGINT
    finally:
        supervisor.stop_all()


def _foreground(command: Sequence[str], plan: Plan, supervisor: Supervisor) -> int:
    """Run it in our own process group: it keeps the terminal, and gets its Ctrl-C by itself."""
    try:
        process = subprocess.Popen(
            command,
            env=plan.environment(),
            preexec_fn=dying_with_us(signal.SIGTERM),  # noqa: PLW1509  one thread
        )
    except FileNotFoundError:
        raise Trouble(f"There is no program {command[0]}.") from None
    except PermissionError:
        raise Trouble(f"{command[0]} is not a program that may be run.") from None
    try:
        _attend(process, supervisor)
    finally:
        if process.poll() is None:
            process.kill()
    code = process.returncode
    return code if code >= 0 else 128 - code


def _attend(process: subprocess.Popen[bytes], supervisor: Supervisor) -> None:
    told = 0
    while process.poll() is None:
        supervisor.step()
        if supervisor.stop.count > told:
            told = supervisor.stop.count
            if not _has_terminal():
                process.terminate()
        time.sleep(0.05)


def _has_terminal() -> bool:
    """Whether the terminal's Ctrl-C reaches our whole group, and thus the command, by itself."""
    try:
        with open("/dev/tty", "rb") as terminal:  # noqa: PTH123
            return os.tcgetpgrp(terminal.fileno()) == os.getpgrp()
    except OSError:
        return False


@contextmanager
def temporary_home() -> Iterator[Home]:
    """Lend a home that nobody else uses, deleted afterwards with all its data."""
    _remove_abandoned()
    folder = Path(tempfile.mkdtemp(prefix=_PREFIX))
    folder.chmod(0o711)  # the account of PostgreSQL passes; it and others still cannot list
    try:
        yield Home(folder)
    finally:
        remove(Home(folder))


def remove(home: Home) -> None:
    if (outside := kept_folder(home)) is not None and not outside.is_relative_to(home.folder):
        shutil.rmtree(outside, ignore_errors=True)
    shutil.rmtree(home.folder, ignore_errors=True)


def _remove_abandoned() -> None:
    """Delete homes of killed runs: ours, nobody holds their lock, and not being made just now."""
    for folder in Path(tempfile.gettempdir()).glob(_PREFIX + "*"):
        try:
            state = folder.stat()
            is_fresh = time.time() - state.st_mtime < _SETTLED_SECONDS
            if state.st_uid != os.geteuid() or is_fresh:
                continue
            with holding(folder / "up.lock"):
                Register(folder / "processes.json").end_leftovers()
                remove(Home(folder))
        except (OSError, AlreadyHeld):
            continue
