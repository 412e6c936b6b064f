"""Under which account PostgreSQL runs: it refuses root, so root lends it one without rights."""

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from config.local.trouble import Trouble

_UNPRIVILEGED = ("nobody", "postgres", "daemon")


@dataclass(frozen=True, slots=True)
class Account:
    uid: int
    gid: int

    def may(self, *command: str | Path) -> bool:
        """Whether `command` ends well under this account. Asked by trying: modes are not all."""
        try:
            tried = subprocess.run(
                [str(part) for part in command],
                user=self.uid,
                group=self.gid,
                extra_groups=[],
                cwd="/",
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
                check=False,
                timeout=30,
            )
        except OSError:
            return False
        return tried.returncode == 0

    def may_enter(self, folder: Path) -> bool:
        return self.may("/bin/sh", "-c", 'test -x "$1"', "sh", folder)


def server_account(data: Path) -> Account | None:
    """Choose the account of a server that keeps `data`; None when we are no root and need none."""
    if os.geteuid() != 0:
        return None
    if data.exists() and (owner := data.stat()).st_uid != 0:
        return Account(owner.st_uid, owner.st_gid)
    for name in _UNPRIVILEGED:
        try:
            entry = pwd.getpwnam(name)
        except KeyError:
            continue
        account = Account(entry.pw_uid, entry.pw_gid)
        if account.may("/bin/true"):
            return account
    raise Trouble(
        "PostgreSQL does not run as root, and this root may not run it as somebody else.",
        todo="Run it as an ordinary user, or name a server of your own in DATABASE_URL.",
    )
