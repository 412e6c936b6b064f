"""Where PostgreSQL's data lies and under which account it runs; the same in every later start."""

import json
import stat
from dataclasses import dataclass
from pathlib import Path

from config.local.accounts import Account, server_account
from config.local.files import read_json, write_whole
from config.local.home import Home
from config.local.postgres_binaries import outside_of
from config.local.trouble import Trouble

_PASSABLE = stat.S_IRWXU | stat.S_IXGRP | stat.S_IXOTH


@dataclass(frozen=True, slots=True)
class Place:
    """`folder` holds the folder of data. `account` is None where the server runs as ourselves."""

    folder: Path
    account: Account | None


def place_for(home: Home) -> Place:
    """Find or make it: in the home, or beside all homes where the server's account cannot enter.

    Raises Trouble when data was made where the account may not go any more.
    """
    kept = kept_folder(home)
    account = server_account((kept or home.postgres) / "data")
    if account is None:
        home.postgres.mkdir(mode=stat.S_IRWXU, exist_ok=True)
        return Place(home.postgres, None)
    inside = account.may_enter(home.folder)
    folder = kept or (home.postgres if inside else outside_of(home.folder))
    folder.mkdir(exist_ok=True)
    folder.chmod(_PASSABLE)
    if not account.may_enter(folder):
        raise Trouble(
            f"PostgreSQL's data lies in {folder}, which user {account.uid} may not enter any more.",
            todo=f"Let others pass the folders above it (chmod o+x), since the server runs as"
            f" user {account.uid} when you are root; or forget the data with `make reset`.",
        )
    if kept is None:
        told = {"home": str(home.folder), "folder": str(folder)}
        write_whole(_record(home), json.dumps(told))
    return Place(folder, account)


def kept_folder(home: Home) -> Path | None:
    """Return the folder of an earlier start. A copied home has none: the data belong to its original."""
    told = read_json(_record(home))
    if not told:
        return None
    original = Path(told["home"])
    is_copy = original != home.folder and original.exists()
    folder = home.postgres if Path(told["folder"]) == original / "postgres" else told["folder"]
    return None if is_copy and folder != home.postgres else Path(folder)


def forget_record(home: Home) -> None:
    _record(home).unlink(missing_ok=True)


def _record(home: Home) -> Path:
    return home.folder / "postgres.json"
