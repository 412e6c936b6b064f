"""`reset`: forget the data of a home. Programs and packages stay."""

import shutil

from config.local import postgres
from config.local.home import Home
from config.local.leftovers import Register
from config.local.lock import AlreadyHeld, holding
from config.local.postgres_place import forget_record, kept_folder
from config.local.terminal import Terminal
from config.local.trouble import Trouble


def reset(home: Home, terminal: Terminal) -> None:
    """Delete what `up` made, and nothing else. Raises Trouble while Plaza runs."""
    if not home.folder.exists():
        terminal.done("There are no data")
        return
    try:
        with holding(home.lock):
            Register(home.processes).end_leftovers()
            _delete(home)
    except AlreadyHeld as holder:
        raise Trouble(
            f"Plaza is running from this folder (pid {holder.pid}).", todo="Stop it first: Ctrl-C"
        ) from None
    terminal.done(f"The data in {home.folder} are forgotten")


def _delete(home: Home) -> None:
    # The stamp first and the secrets last: whoever kills this finds data and keys that fit.
    home.setup_stamp.unlink(missing_ok=True)
    outside = kept_folder(home)
    for folder in {home.postgres, outside or home.postgres}:
        if folder.exists():
            postgres.forget(folder)
    forget_record(home)
    for folder in (home.valkey, home.standins, home.files, home.logs, home.metrics):
        if folder.exists():
            shutil.rmtree(folder)
    for schedule in home.folder.glob(home.beat_schedule.name + "*"):
        schedule.unlink()
    for file in (home.environment, home.ports, home.secrets):
        file.unlink(missing_ok=True)
