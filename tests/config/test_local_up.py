"""`make up` through its worst days, with the real servers and without the web."""

import json
import os
import signal
import stat
import subprocess
import sys
import time
from pathlib import Path

import psycopg
import redis

from config.local.accounts import server_account
from config.local.home import Home
from config.local.postgres_place import place_for
from config.local.processes import started
from tests.config.conftest import SERVERS
from tests.config.local_runs import (
    await_end,
    clean_environment,
    exists,
    postmaster_of,
    refused,
)


def _environment(home: Home) -> dict[str, str]:
    return dict(json.loads(home.environment.read_text()))


def _ask(home: Home, sql: str) -> list[tuple[object, ...]]:
    with psycopg.connect(_environment(home)["DATABASE_OWNER_URL"]) as connection:
        cursor = connection.execute(sql)
        return cursor.fetchall() if cursor.description else []


def test_second_start_finds_the_data_at_the_same_address(up, home):
    first = up()
    _ask(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    address = _environment(home)["DATABASE_OWNER_URL"]
    assert stat.S_IMODE(home.environment.stat().st_mode) == 0o600
    assert first.stop(signal.SIGINT) == 0
    assert not home.environment.exists()

    began = time.monotonic()
    second = up()

    assert time.monotonic() - began < 5
    assert _environment(home)["DATABASE_OWNER_URL"] == address
    assert _ask(home, "SELECT answer FROM kept") == [(42,)]
    assert second.stop() == 0
    assert "Plaza is stopped" in second.said


def test_killed_database_is_restarted_and_said_so(up, home):
    run = up()
    _ask(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    os.kill(postmaster_of(place_for(home).folder), signal.SIGKILL)

    run.await_words(" again ready")

    assert "ended by itself (signal SIGKILL)" in run.said
    assert _ask(home, "SELECT answer FROM kept") == [(42,)]
    assert run.stop() == 0


def test_killed_supervisor_leaves_nothing_behind_and_the_next_start_is_clean(up, home):
    run = up()
    _ask(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    children = [pid for pid, *_ in json.loads(home.processes.read_text())["children"].values()]
    run.process.kill()
    run.wait()

    await_end(*children)
    again = up()

    assert _ask(home, "SELECT answer FROM kept") == [(42,)]
    assert again.stop() == 0


def test_database_and_supervisor_killed_together_recover(up, home):
    run = up()
    _ask(home, "CREATE TABLE kept AS SELECT 42 AS answer")
    folder = place_for(home).folder
    os.kill(run.process.pid, signal.SIGSTOP)  # it must not restart what we kill
    os.kill(postmaster_of(folder), signal.SIGKILL)
    run.process.kill()
    run.wait()
    # Meanwhile another process of the same account got the old number.
    account = server_account(folder / "data")
    stranger = subprocess.Popen(["sleep", "60"], user=account.uid if account else None)
    pid_file = folder / "data" / "postmaster.pid"
    pid_file.write_text(
        pid_file.read_text().replace(str(postmaster_of(folder)), str(stranger.pid), 1)
    )

    again = up()

    assert _ask(home, "SELECT answer FROM kept") == [(42,)]
    assert again.stop() == 0
    assert stranger.poll() is None  # was not taken for ours
    stranger.kill()
    stranger.wait()


def test_half_made_data_are_made_anew(up, home):
    home.folder.mkdir()
    folder = place_for(home).folder
    half = folder / "data.new.4711"
    half.mkdir()
    (half / "PG_VERSION").write_text("18\n")
    (folder / "password.new.4711").write_text("left over")

    run = up()

    assert run.stop() == 0
    assert sorted(path.name for path in folder.iterdir()) == ["data"]


def test_interrupt_while_the_data_are_made_leaves_a_clean_start(launch, up, home):
    first = launch("up", "--services", SERVERS, "--home", home.folder)
    first.await_words("making PostgreSQL's data")
    time.sleep(0.2)
    assert first.stop(signal.SIGINT) == 0
    assert "✓ Up" not in first.said

    assert up().stop() == 0


def test_second_up_in_the_same_folder_is_refused_without_harm(up, home):
    first = up("redis")

    said = refused("up", "--services", "redis", "--home", home.folder)

    assert (
        f"already running from this folder (pid {first.process.pid}) at http://127.0.0.1:8000"
        in said
    )
    assert redis.Redis.from_url(_environment(home)["REDIS_URL"]).ping() is True
    assert "is running from this folder" in refused("reset", "--home", home.folder)
    assert first.stop() == 0


def test_reset_forgets_the_data_and_keeps_the_programs(up, launch, home):
    assert up().stop() == 0
    folder = place_for(home).folder
    (home.folder / "boot").mkdir()

    reset = launch("reset", "--home", home.folder)

    assert reset.wait() == 0
    assert not folder.exists()
    assert sorted(path.name for path in home.folder.iterdir()) == ["boot", "up.lock"]


def test_lost_secrets_are_named(up, home):
    assert up().stop() == 0
    home.secrets.unlink()

    said = refused("up", "--services", SERVERS, "--home", home.folder)

    assert "secrets.json does not hold the password" in said


def test_servers_of_the_environment_are_used_instead_of_embedded_ones(launch, home):
    environment = clean_environment(
        DATABASE_URL="postgresql://somewhere/else", REDIS_URL="redis://somewhere/0"
    )
    run = launch("up", "--services", SERVERS, "--home", home.folder, environment=environment)
    run.await_words("✓ Up in")

    assert "PostgreSQL: the server that DATABASE_URL names, none embedded" in run.said
    assert "Redis: the server that REDIS_URL names, none embedded" in run.said
    assert "DATABASE_URL" not in _environment(home)
    assert run.stop() == 0


def test_cut_off_append_only_file_does_not_keep_the_queue_from_starting(up, home):
    assert up("redis").stop() == 0
    (newest,) = home.valkey.glob("appendonlydir/*.incr.aof")
    with newest.open("ab") as file:
        file.write(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$5\r\nhal")  # the power went in mid-write

    assert up("redis").stop() == 0


def test_closed_terminal_does_not_end_the_servers(home, tmp_path):
    reader, writer = os.pipe()
    process = subprocess.Popen(
        [sys.executable, "-m", "config.local", "up", "--services", "redis"],
        env=clean_environment(PLAZA_HOME=str(home.folder)),
        stdout=writer,
        stderr=subprocess.DEVNULL,
    )
    os.close(writer)
    os.close(reader)  # as `make up | head` does
    end = time.monotonic() + 10
    while not home.environment.exists() and time.monotonic() < end:
        time.sleep(0.05)
    time.sleep(0.3)

    assert process.poll() is None
    process.terminate()
    assert process.wait(10) == 0


def test_process_is_named_by_its_number_and_moment_of_start():
    assert started(os.getpid()) == started(os.getpid())
    assert started(os.getpid()) is not None
    child = subprocess.Popen(["true"])
    child.wait()
    assert started(child.pid) is None
    assert not exists(child.pid)


def test_logs_are_set_aside_when_they_grew(home: Home, tmp_path: Path):
    home.prepare()
    home.log("web").write_bytes(b"x" * 5_000_001)

    assert not home.log("web").exists()
    assert (home.logs / "web.log.1").stat().st_size == 5_000_001
