"""What `make up` says where it cannot start: the port, the folder, the disk."""

import re
import socket
import subprocess

import pytest

from config.local.ports import is_free
from tests.config.conftest import SERVERS
from tests.config.local_runs import (
    clean_environment,
    refused,
)


def test_taken_port_is_named_with_a_command_that_works(home):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        environment = clean_environment(PLAZA_PORT=str(port))
        said = refused("up", "--home", home.folder, environment=environment)

    assert f"Port {port} is taken" in said
    suggested = re.search(r"PLAZA_PORT=(\d+) make up", said)
    assert suggested is not None
    assert is_free(int(suggested[1]))


def test_wrong_port_is_named(home):
    said = refused("up", "--home", home.folder, environment=clean_environment(PLAZA_PORT="http"))

    assert "PLAZA_PORT is 'http'" in said


@pytest.mark.parametrize("place", ["/proc/plaza", "/dev/null", "/dev/null/plaza", "/sys/plaza"])
def test_folder_that_cannot_be_written_is_named(place):
    assert place in refused("up", "--services", SERVERS, "--home", place)


def test_full_disk_is_named(tmp_path):
    if subprocess.run(["unshare", "-rm", "true"], capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount a small disk")
    script = (
        f"mount -t tmpfs -o size=2m none '{tmp_path}' && . .venv/bin/activate &&"
        f" exec python -m config.local up --services redis --home '{tmp_path}/home'"
    )
    told = subprocess.run(
        ["unshare", "-rm", "sh", "-c", script],
        env=clean_environment(),
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert told.returncode == 1
    assert "is full: 2 MB are free" in told.stderr
    assert "Traceback" not in told.stderr
