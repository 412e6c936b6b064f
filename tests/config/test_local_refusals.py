"""What `make up` says where it cannot start: the port, the folder, the disk."""

import re
import socket
import subprocess
import sys

import pytest

from config.local.home import REPOSITORY
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


def _free_port() -> str:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return str(server.getsockname()[1])


# Servers that nobody asks before the settings are read.
_NAMED = {
    "DATABASE_URL": "postgresql://plaza@127.0.0.1:9/plaza",
    "REDIS_URL": "redis://127.0.0.1:9/0",
}


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("LOG_LEVEL", "LOUD", "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'."),
        (
            "ACCESS_TOKEN_SECONDS",
            "abc",
            "ACCESS_TOKEN_SECONDS must be a whole number from 60 to 86400, not 'abc'.",
        ),
        ("REDIS_URL", "nonsense", "REDIS_URL must be an address of redis or rediss."),
        (
            "DATABASE_URL",
            "postgresql://plaza@127.0.0.1:x/plaza",
            "DATABASE_URL must be an address of postgres or postgresql.",
        ),
    ],
)
def test_wrong_value_is_told_in_one_line_before_the_web_starts(home, name, value, told):
    environment = clean_environment(**(_NAMED | {"PLAZA_PORT": _free_port(), name: value}))

    said = refused("up", "--services", "web", "--home", home.folder, environment=environment)

    assert said == f"✗ {told}\n"
    assert [log.name for log in home.logs.iterdir()] == ["preflight.log"]


def test_wrong_value_ends_the_embedded_servers_too(home):
    environment = clean_environment(LOG_LEVEL="LOUD", PLAZA_PORT=_free_port())

    said = refused("up", "--home", home.folder, environment=environment)

    assert said.endswith("✗ LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'.\n")
    assert "Web" not in said
    assert not home.processes.exists()


def test_dead_database_is_named_in_the_last_line(home):
    environment = clean_environment(**_NAMED, PLAZA_PORT=_free_port())

    said = refused("up", "--services", "web", "--home", home.folder, environment=environment)

    assert (
        "✗ `manage.py setup` failed (exit code 1): PostgreSQL does not answer as DATABASE_URL says:"
        in said
    )


def test_manage_py_tells_a_wrong_value_in_one_line(home):
    told = subprocess.run(
        [sys.executable, "manage.py", "check"],
        cwd=REPOSITORY,
        env=clean_environment(
            LOG_LEVEL="LOUD",
            SECRET_KEY="x" * 40,
            TOKEN_SIGNING_KEY="x" * 100,
            PLAZA_MASTER_KEY="A" * 43 + "=",
        )
        | _NAMED
        | {"PLAZA_HOME": str(home.folder)},
        capture_output=True,
        text=True,
        timeout=30,
        check=False,
    )

    assert (told.returncode, told.stdout) == (78, "")
    assert told.stderr == "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'.\n"
