"""The embedded PostgreSQL: made at first use, started on 127.0.0.1, ready when it says so."""

import shutil
import signal
import time
from dataclasses import dataclass, field
from pathlib import Path

from config.local.home import Home
from config.local.ports import HOST, Ports
from config.local.postgres_binaries import Binaries, binaries_for
from config.local.postgres_cluster import PLAIN_ENVIRONMENT, Cluster, first_number
from config.local.postgres_database import DATABASE, OWNER, SQUARE, WEB, prepare_database
from config.local.postgres_place import place_for
from config.local.processes import Child, Command, start
from config.local.signals import StopRequest

_SETTINGS = {
    "listen_addresses": HOST,
    # No socket: its path would be limited to 107 bytes, and a checkout may lie deeper.
    "unix_socket_directories": "",
    "max_connections": "200",
    "max_locks_per_transaction": "256",  # one transaction touches every table of many tenants
    "shared_buffers": "128MB",
    "timezone": "UTC",
    "log_timezone": "UTC",
    # Values of rows, e-mail addresses among them, stay out of the log: they stand in a statement,
    # in the DETAIL of a refusal, and in messages like `invalid input syntax for type uuid: "..."`.
    # So no ERROR of a session is logged (the application logs its own), and of a crash only the fact.
    "log_min_messages": "log",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "jit": "off",  # compiles longer than our queries run
}
# A test's data need not survive the machine, only the server's own death.
_FORGETFUL = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "checkpoint_timeout": "30min",
    "max_wal_size": "4GB",
}
_STATUS_LINE = 7  # of postmaster.pid, since PostgreSQL 10


@dataclass(slots=True)
class Postgres:
    """One server of one home. `durable=False` trades the data's safety for the tests' speed."""

    home: Home
    secrets: dict[str, str]
    stop: StopRequest
    durable: bool = True
    chosen_binaries: Path | None = None
    port: int = 0
    was_made: bool = False
    _cluster: Cluster | None = field(default=None, repr=False)

    @property
    def label(self) -> str:
        return f"PostgreSQL {self.cluster.binaries.version}"

    def urls(self) -> dict[str, str]:
        """The three sign-ins, as variables."""
        return {
            "DATABASE_URL": self._url(WEB, "postgres_web_password"),
            "DATABASE_SQUARE_URL": self._url(SQUARE, "postgres_square_password"),
            "DATABASE_OWNER_URL": self._url(OWNER, "postgres_owner_password"),
        }

    def _url(self, role: str, password: str) -> str:
        return f"postgresql://{role}:{self.secrets[password]}@{HOST}:{self.port}/{DATABASE}"

    @property
    def cluster(self) -> Cluster:
        if self._cluster is None:
            place = place_for(self.home)
            binaries: Binaries = binaries_for(place.account, chosen=self.chosen_binaries)
            log = self.home.log("postgres")
            self._cluster = Cluster(place.folder, place.account, binaries, log)
        return self._cluster

    def prepare(self, ports: Ports) -> None:
        """Make the data at the first time. Raises Trouble, OSError, StopAsked."""
        cluster = self.cluster
        cluster.remove_remains()
        if not cluster.is_made():
            # What was set up in earlier data is not set up in these.
            self.home.setup_stamp.unlink(missing_ok=True)
            password = self.secrets["postgres_superuser_password"]
            cluster.make(password=password, stop=self.stop, durable=self.durable)
            self.was_made = True
        cluster.check_version()
        self.port = ports.of("postgres")

    def spawn(self, environment: dict[str, str]) -> Child:
        """Start the server on the port of `prepare`, after a crash too."""
        cluster = self.cluster
        cluster.release()
        settings = _SETTINGS | ({} if self.durable else _FORGETFUL) | {"port": str(self.port)}
        options = [f"--{name.replace('_', '-')}={value}" for name, value in settings.items()]
        command = Command(
            name="postgres",
            argv=(cluster.binaries.program("postgres"), "-D", str(cluster.data), *options),
            log=self.home.log("postgres"),
            environment=PLAIN_ENVIRONMENT | environment,
            folder=Path("/"),  # the account may not enter ours
            stop_signal=signal.SIGINT,  # the "fast" stop: roll back and disconnect
            account=cluster.account,
        )
        return start(command)

    def is_ready(self, child: Child) -> bool:
        """Whether it takes connections; at the first yes, make the role and the database."""
        status = self.cluster.data / "postmaster.pid"
        if first_number(status) != child.pid:
            return False
        lines = status.read_text(encoding="ascii", errors="replace").splitlines()
        if len(lines) <= _STATUS_LINE or lines[_STATUS_LINE].strip() != "ready":
            return False
        prepare_database(self.cluster.binaries, self.port, self.secrets)
        return True


def forget(folder: Path) -> None:
    """Delete the data in `folder`; killed half-way, the rest is deleted at the next start."""
    data = folder / "data"
    if data.exists():
        data.rename(folder / f"data.old.{time.time_ns()}")
    shutil.rmtree(folder)
