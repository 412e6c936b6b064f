"""Where everything of one running Plaza lives: `$PLAZA_HOME`, by default `.plaza/`."""

import errno
import os
import shutil
import stat
from dataclasses import dataclass
from pathlib import Path

from config.local.trouble import Trouble

REPOSITORY = Path(__file__).resolve().parents[2]
NEEDED_BYTES = 100_000_000
LOG_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Home:
    """Paths below one folder. Only what is named here is ever deleted by `make reset`."""

    folder: Path

    @property
    def lock(self) -> Path:
        return self.folder / "up.lock"

    @property
    def secrets(self) -> Path:
        return self.folder / "secrets.json"

    @property
    def environment(self) -> Path:
        return self.folder / "environment.json"

    @property
    def ports(self) -> Path:
        return self.folder / "ports.json"

    @property
    def processes(self) -> Path:
        return self.folder / "processes.json"

    @property
    def setup_stamp(self) -> Path:
        return self.folder / "setup.stamp"

    @property
    def beat_schedule(self) -> Path:
        return self.folder / "beat-schedule"

    @property
    def logs(self) -> Path:
        return self.folder / "logs"

    @property
    def postgres(self) -> Path:
        return self.folder / "postgres"

    @property
    def valkey(self) -> Path:
        return self.folder / "valkey"

    @property
    def standins(self) -> Path:
        return self.folder / "standins"

    @property
    def files(self) -> Path:
        return self.folder / "files"

    @property
    def metrics(self) -> Path:
        """Where web processes count together; begun anew whenever the web server is."""
        return self.folder / "metrics"

    def prepare(self) -> None:
        """Make the folders. Raises OSError or Trouble when nothing can be written here."""
        self.folder.mkdir(parents=True, exist_ok=True)
        if not os.access(self.folder, os.R_OK | os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, "no right", str(self.folder))
        for private in (self.logs, self.valkey, self.standins, self.files):
            private.mkdir(exist_ok=True)
            if stat.S_IMODE(private.stat().st_mode) != stat.S_IRWXU:
                private.chmod(stat.S_IRWXU)
        free = shutil.disk_usage(self.folder).free
        if free < NEEDED_BYTES:
            raise Trouble(
                f"The disk of {self.folder} is full: {free // 1_000_000} MB are free,"
                f" and Plaza needs {NEEDED_BYTES // 1_000_000} MB to start.",
                todo="Free some space, then run it again. PLAZA_HOME moves all data.",
            )

    def log(self, name: str) -> Path:
        """Return the log of one process; what grew past 5 MB is set aside as `<name>.log.1`."""
        path = self.logs / f"{name}.log"
        if path.exists() and path.stat().st_size > LOG_BYTES:
            path.replace(path.with_suffix(".log.1"))
        return path


def default_home() -> Home:
    chosen = os.environ.get("PLAZA_HOME")
    return Home(Path(chosen).absolute() if chosen else REPOSITORY / ".plaza")
