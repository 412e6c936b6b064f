"""Ports on 127.0.0.1: the one of last time where it is still free, else any free one."""

import json
import socket

from config.local.files import read_json, write_whole
from config.local.home import Home

HOST = "127.0.0.1"


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now. Raises PermissionError below 1024."""
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        # As the servers do: a connection still closing there does not keep the port.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
            probe.listen(1)
        except PermissionError:
            raise
        except OSError:
            return False
        return True


def any_free() -> int:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def next_free(port: int) -> int:
    """Find a free port to suggest instead of a taken one."""
    return next((other for other in range(port + 1, port + 50) if is_free(other)), any_free())


def accepts(port: int) -> bool:
    """Whether something listens on the port."""
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except OSError:
        return False
    return True


class Ports:
    """Remembers which server had which port, so that addresses stay the same between runs."""

    def __init__(self, home: Home) -> None:
        self._path = home.ports
        self._known = {name: int(port) for name, port in read_json(home.ports).items()}

    def of(self, name: str) -> int:
        known = self._known.get(name)
        if known is not None and is_free(known):
            return known
        self._known[name] = any_free()
        write_whole(self._path, json.dumps(self._known))
        return self._known[name]
