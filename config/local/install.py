"""`make setup`: from a bare machine to `.venv`, by the machine's own Python and pip.

Runs before anything is installed, so it needs the standard library only. It can be interrupted
at any point: what counts as done is written last, and a half-filled `.venv` is made anew.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

from config.local.trouble import Trouble, of_os_error, tells_full_disk

REPOSITORY = Path(__file__).resolve().parents[2]
_LEAST = (3, 11)
_BOOT = REPOSITORY / ".plaza" / "boot"
_UV = _BOOT / "bin" / "uv"
_VENV = REPOSITORY / ".venv"
_PYTHON = _VENV / "bin" / "python"
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")
_LOCK = REPOSITORY / "requirements-dev.lock"
_STAMP = _VENV / "plaza-installed.json"
_UNDER_WAY = REPOSITORY / ".plaza" / "installing"
_NO_NETWORK = (
    *("error sending request", "dns error", "failed to fetch", "could not connect"),
    *("name resolution", "newconnectionerror", "connection refused", "connecttimeout"),
    *("max retries exceeded", "network is unreachable", "no matching distribution found for uv"),
)
_OFFLINE_TODO = (
    "It is needed this once. Behind a proxy set HTTPS_PROXY; for a mirror of PyPI set"
    " PIP_INDEX_URL and UV_DEFAULT_INDEX. Then run it again."
)


def install() -> None:
    """Bring `.venv` to what requirements-dev.lock says. Raises Trouble, OSError."""
    if sys.version_info < _LEAST:
        raise Trouble(
            f"Plaza needs Python 3.11 or newer; {sys.executable} is {sys.version.split()[0]}.",
            todo="Name a newer one: PYTHON=python3.11 make up",
        )
    if _is_installed():
        return
    (REPOSITORY / ".plaza").mkdir(exist_ok=True)
    with _alone(REPOSITORY / ".plaza" / "setup.lock") as lock:
        if not _is_installed():
            _bring_uv(lock)
            _fill_venv(lock)


def _wanted() -> dict[str, str]:
    digest = hashlib.sha256(_LOCK.read_bytes()).hexdigest()
    # The folder: the scripts in .venv/bin name it and break when the checkout is moved.
    return {"lock": digest, "folder": str(REPOSITORY)}


def _is_installed() -> bool:
    try:
        told = json.loads(_STAMP.read_text(encoding="utf-8"))
    except (FileNotFoundError, NotADirectoryError, ValueError):
        return False
    return bool(told == _wanted() and _PYTHON.exists())


@contextmanager
def _alone(path: Path) -> Iterator[int]:
    """Lend the lock as an open file: the tools inherit it, so that one which outlives us when we
    are killed still keeps the next set-up waiting.
    """
    with path.open("a", encoding="utf-8") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say("another set-up is at work in this folder; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _bring_uv(lock: int) -> None:
    """Install uv by pip into a folder of ours: a bare Debian's pip may not touch the system."""
    if _UV.exists():
        return
    _say("fetching uv, which installs the rest")
    beside = _BOOT.with_name("boot.new")
    shutil.rmtree(beside, ignore_errors=True)
    options = ("--quiet", "--no-input", "--no-user", "--retries", "2", "--target", str(beside))
    environment = {"PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_ROOT_USER_ACTION": "ignore"}
    _run((sys.executable, "-m", "pip", "install", *options, "uv"), environment, "fetch uv", lock)
    shutil.rmtree(_BOOT, ignore_errors=True)
    beside.rename(_BOOT)


def _uv_environment() -> dict[str, str]:
    """Return what uv is told where the environment does not say it: the same as pip knows."""
    found = {"UV_PYTHON_DOWNLOADS": "never"}
    home = Path(os.environ.get("HOME", "/nonexistent"))
    if not os.access(home, os.W_OK):
        found["UV_CACHE_DIR"] = str(REPOSITORY / ".plaza" / "cache")
    if "PIP_INDEX_URL" in os.environ:
        found["UV_DEFAULT_INDEX"] = os.environ["PIP_INDEX_URL"]
    if _CERTIFICATES.exists():
        found["UV_SYSTEM_CERTS"] = "true"  # as Debian's pip: a company's own authority is there
    return {name: value for name, value in found.items() if name not in os.environ}


def _fill_venv(lock: int) -> None:
    environment = _uv_environment()
    was_interrupted = _UNDER_WAY.exists()
    _UNDER_WAY.touch()
    if was_interrupted or not _PYTHON.exists() or _was_elsewhere():
        make = ("venv", "--quiet", "--clear", "--python", sys.executable, str(_VENV))
        _run((str(_UV), *make), environment, "make .venv", lock)
    _STAMP.unlink(missing_ok=True)
    _say("installing the packages of requirements-dev.lock (a minute or so, this once)")
    sync = ("pip", "sync", "--quiet", "--require-hashes", "--compile-bytecode")
    _run(
        (str(_UV), *sync, "--python", str(_PYTHON), str(_LOCK)),
        environment,
        "install packages",
        lock,
    )
    beside = _STAMP.with_suffix(".new")
    beside.write_text(json.dumps(_wanted()), encoding="utf-8")
    beside.rename(_STAMP)
    _UNDER_WAY.unlink()
    _say("installed", mark="✓")


def _was_elsewhere() -> bool:
    if not _STAMP.exists():
        return False
    told = json.loads(_STAMP.read_text(encoding="utf-8"))
    return bool(told.get("folder") != str(REPOSITORY))


def _run(command: Sequence[str], extra: Mapping[str, str], purpose: str, lock: int) -> None:
    """Run a tool and pass its words on when it fails. Raises Trouble."""
    # Interrupted between its start and our knowing it, it would run on, with the lock.
    _interruption.is_held = True
    process = subprocess.Popen(
        command,
        cwd=REPOSITORY,
        env={**os.environ, **extra},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
        pass_fds=(lock,),
        start_new_session=True,
    )
    try:
        _interruption.let_through()
        output, _ = process.communicate()
    except KeyboardInterrupt:
        os.killpg(process.pid, signal.SIGTERM)
        process.wait()
        raise
    if process.returncode != 0:
        raise _trouble(output, purpose)


def _trouble(output: str, purpose: str) -> Trouble:
    text = output.lower()
    if tells_full_disk(text):
        return Trouble(
            f"Cannot {purpose}: the disk is full.", todo="Free about 1 GB, then run it again."
        )
    if "no module named pip" in text:
        return Trouble(f"Cannot {purpose}: pip is missing.", todo="apt-get install python3-pip")
    if any(words in text for words in _NO_NETWORK):
        reasons = [line.strip() for line in output.splitlines() if not line.startswith("hint")]
        reason = next((line for line in reversed(reasons) if line), "no reason given")
        return Trouble(f"Cannot {purpose}: PyPI cannot be reached ({reason})", todo=_OFFLINE_TODO)
    return Trouble(f"Cannot {purpose}:\n{output.strip()}")


def _say(text: str, *, mark: str = " ") -> None:
    print(f"{mark} {text}", flush=True)


class _Interruption:
    """Ctrl-C and SIGTERM as KeyboardInterrupt: at once, or once they are let through."""

    def __init__(self) -> None:
        self.is_held = self._came = False

    def __call__(self, number: int, frame: object) -> None:
        del number, frame
        self._came = True
        if not self.is_held:
            raise KeyboardInterrupt

    def let_through(self) -> None:
        self.is_held = False
        if self._came:
            raise KeyboardInterrupt


_interruption = _Interruption()


def main() -> int:
    """Exit code: 0, 1 with a message, 130 when interrupted."""
    sys.stdout.reconfigure(errors="replace")  # type: ignore[union-attr]
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, _interruption)
    try:
        install()
    except KeyboardInterrupt:
        _say("interrupted; the same command goes on from here", mark="!")
        return 130
    except (Trouble, OSError) as error:
        trouble = of_os_error(error) if isinstance(error, OSError) else error
        if trouble is None:
            raise
        _say(trouble.what, mark="✗")
        if trouble.todo:
            _say(trouble.todo, mark="  →")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
