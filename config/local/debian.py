"""Debian's programs for tests: servers for `make test-system`, installed but not as services, and Chromium for `test-pages`."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from config.local.terminal import standard_error
from config.local.trouble import Trouble

CHROMIUM = Path("/usr/bin/chromium")
_SERVERS = {
    "postgresql-15": Path("/usr/lib/postgresql/15/bin/postgres"),
    "redis-server": Path("/usr/bin/redis-server"),
    "pgbouncer": Path("/usr/sbin/pgbouncer"),
}
_BROWSER = {"chromium": CHROMIUM, "fonts-liberation": Path("/usr/share/fonts/truetype/liberation")}
_PROGRAMS = {"servers": _SERVERS, "browser": _BROWSER}
_POLICY = Path("/usr/sbin/policy-rc.d")


def install(wanted: str) -> None:
    """Install what is missing of `servers` or `browser`. Raises Trouble when that is not possible."""
    missing = [name for name, program in _PROGRAMS[wanted].items() if not program.exists()]
    if not missing:
        return
    wish = "apt-get install --no-install-recommends " + " ".join(missing)
    if os.geteuid() != 0:
        raise Trouble(f"Missing from this machine: {', '.join(missing)}.", todo=f"sudo {wish}")
    standard_error().note(f"installing {', '.join(missing)} by apt-get")
    with _without_services():
        _apt_get("update", "-qq")
        _apt_get("install", "-y", "-qq", "--no-install-recommends", *missing)


@contextmanager
def _without_services() -> Iterator[None]:
    """Keep Debian from starting what it installs; we start private instances of our own.

    The policy ends with this process even if it is killed and cannot remove it.
    """
    if _POLICY.exists():
        yield
        return
    _POLICY.write_text(f"#!/bin/sh\nif kill -0 {os.getpid()}; then exit 101; fi\nexit 0\n")
    _POLICY.chmod(0o755)
    try:
        yield
    finally:
        _POLICY.unlink(missing_ok=True)


def _apt_get(*arguments: str) -> None:
    told = subprocess.run(
        ["apt-get", *arguments],
        env={**os.environ, "DEBIAN_FRONTEND": "noninteractive"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        check=False,
    )
    if told.returncode != 0:
        raise Trouble(f"apt-get {arguments[0]} failed:\n{told.stdout.strip()}")


def main(argv: list[str]) -> int:
    """Exit code: 0, or 1 with a message."""
    try:
        install(argv[0] if argv else "servers")
    except Trouble as trouble:
        standard_error().refuse(trouble)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
