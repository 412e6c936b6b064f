"""Real runs of `python -m config.local` for tests: started, read from, and always ended."""

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

from config.local.home import REPOSITORY

_NOT_PASSED_ON = re.compile(
    r"PLAZA_|DJANGO_|DATABASE_|REDIS_|STRIPE_|PAYPAL_|EMAIL_URL|COV_|PYTEST_"
)


def clean_environment(**more: str) -> dict[str, str]:
    """The environment without the servers that these tests themselves run beside."""
    kept = {name: value for name, value in os.environ.items() if not _NOT_PASSED_ON.match(name)}
    return kept | {"PYTHONUNBUFFERED": "1"} | more


class Run:
    """One `python -m config.local ...` and what it has said so far."""

    def __init__(
        self, *arguments: str | Path, output: Path, environment: dict[str, str] | None = None
    ):
        self._output = output
        with output.open("wb") as file:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "config.local", *map(str, arguments)],
                cwd=REPOSITORY,
                env=clean_environment() if environment is None else environment,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
            )

    @property
    def said(self) -> str:
        return self._output.read_text(encoding="utf-8")

    def await_words(self, words: str, seconds: float = 40) -> None:
        end = time.monotonic() + seconds
        while words not in self.said:
            assert time.monotonic() < end, f"never said {words!r}, but:\n{self.said}"
            if self.process.poll() is not None:
                assert words in self.said, f"ended without {words!r}:\n{self.said}"
            time.sleep(0.02)

    def stop(self, number: signal.Signals = signal.SIGTERM) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self, seconds: float = 20) -> int:
        return self.process.wait(seconds)

    def end(self) -> None:
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(15)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()


def refused(*arguments: str | Path, environment: dict[str, str] | None = None) -> str:
    """What a run says that must be refused: exit code 1 and no traceback."""
    told = subprocess.run(
        [sys.executable, "-m", "config.local", *map(str, arguments)],
        cwd=REPOSITORY,
        env=clean_environment() if environment is None else environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )
    said = told.stdout + told.stderr
    assert told.returncode == 1, said
    assert "Traceback" not in said
    return said


def postmaster_of(folder: Path) -> int:
    """The pid of the server that works on `folder`, from the file that it writes itself."""
    return int((folder / "data" / "postmaster.pid").read_text().splitlines()[0])


def exists(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


def await_end(*pids: int, seconds: float = 10) -> None:
    end = time.monotonic() + seconds
    while alive := [pid for pid in pids if exists(pid)]:
        assert time.monotonic() < end, f"still there: {alive}"
        time.sleep(0.02)
