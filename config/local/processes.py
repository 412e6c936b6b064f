"""Child processes that never outlive us, and of which we never mistake a stranger for ours."""

import ctypes
import os
import signal
import subprocess
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from config.local.accounts import Account
from config.local.files import last_lines

_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True)
class Command:
    """How to start and how to stop one process. `stop_signal` is what it calls a clean end."""

    name: str
    argv: tuple[str, ...]
    log: Path
    environment: Mapping[str, str]
    folder: Path
    stop_signal: signal.Signals = signal.SIGTERM
    account: Account | None = None


@dataclass(slots=True)
class Child:
    """A running process and the group of whatever it started itself."""

    command: Command
    process: subprocess.Popen[bytes]
    log_from: int
    started_at: float = field(default_factory=time.monotonic)

    @property
    def pid(self) -> int:
        return self.process.pid

    def has_ended(self) -> bool:
        """Whether it is gone. Whatever it left behind in its group is killed before it is reaped:
        until then its number cannot be anyone else's.
        """
        if self.process.returncode is not None:
            return True
        wish = os.WEXITED | os.WNOHANG | os.WNOWAIT
        if os.waitid(os.P_PID, self.pid, wish) is None:
            return False
        self._signal_group(signal.SIGKILL)
        self.process.wait()
        return True

    def wait(self, seconds: float) -> bool:
        """Wait for its end at most `seconds`; whether it came."""
        end = time.monotonic() + seconds
        while not self.has_ended():
            if time.monotonic() >= end:
                return False
            time.sleep(0.02)
        return True

    def ask_to_stop(self) -> None:
        if not self.has_ended():
            self.process.send_signal(self.command.stop_signal)

    def kill(self) -> None:
        if not self.has_ended():
            self._signal_group(signal.SIGKILL)
            self.wait(10)

    def last_words(self, count: int = 12) -> list[str]:
        return last_lines(self.command.log, count=count, since=self.log_from)

    def ending(self) -> str:
        """How it ended, in words: `exit code 1`, `signal SIGKILL`."""
        code = self.process.returncode
        if code is None:
            return "still running"
        return f"exit code {code}" if code >= 0 else f"signal {signal.Signals(-code).name}"

    def _signal_group(self, number: signal.Signals) -> None:
        try:
            os.killpg(self.pid, number)
        except ProcessLookupError:
            return


def start(command: Command) -> Child:
    """Start it in a session of its own, so that a Ctrl-C of the terminal reaches us alone.

    Raises OSError when its log cannot be written or the program cannot be run.
    """
    with command.log.open("ab") as log:
        process = subprocess.Popen(
            command.argv,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=subprocess.STDOUT,
            cwd=command.folder,
            env=dict(command.environment),
            user=None if command.account is None else command.account.uid,
            group=None if command.account is None else command.account.gid,
            extra_groups=None if command.account is None else [],
            start_new_session=True,
            # After the change of user: the kernel forgets the wish at that change.
            preexec_fn=dying_with_us(command.stop_signal),  # noqa: PLW1509  one thread
        )
        return Child(command=command, process=process, log_from=log.tell())


def dying_with_us(number: signal.Signals) -> Callable[[], None]:
    """For `preexec_fn`: the kernel sends `number` to the child when we are gone, however we went."""
    us = os.getpid()

    def prepare() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(number), 0, 0, 0)
        if os.getppid() != us:
            os._exit(1)  # gone between fork and wish

    return prepare


def started(pid: int) -> int | None:
    """When a process started, in clock ticks since the machine did; None when there is none.

    With the pid it names one process for ever: pids are used again, the two together are not.
    """
    try:
        text = Path(f"/proc/{pid}/stat").read_text(encoding="ascii", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # the name before it may hold anything
    return None if fields[0] == "Z" else int(fields[19])
