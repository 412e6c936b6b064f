"""Secrets, whole files, ports and locks of one home."""

import errno
import json
import multiprocessing
import os
import resource
import socket
import stat

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import load_pem_private_key

from config.local.files import Follower, last_lines, read_json, write_whole
from config.local.lock import AlreadyHeld, holding
from config.local.ports import Ports, is_free, next_free
from config.local.secrets import secrets_of
from config.local.trouble import Trouble, of_os_error


def test_secrets_are_made_once_and_only_their_owner_reads_them(home):
    home.prepare()

    first = secrets_of(home)

    assert secrets_of(home) == first
    assert stat.S_IMODE(home.secrets.stat().st_mode) == 0o600
    assert set(first) == {
        "SECRET_KEY",
        "TOKEN_SIGNING_KEY",
        "PLAZA_MASTER_KEY",
        "STRIPE_WEBHOOK_SECRET",
        "PAYPAL_WEBHOOK_ID",
        "PLAZA_DEMO_PASSWORD",
        "postgres_superuser_password",
        "postgres_owner_password",
        "postgres_web_password",
        "postgres_square_password",
        "redis_password",
    }
    key = load_pem_private_key(first["TOKEN_SIGNING_KEY"].encode(), password=None)
    assert isinstance(key, ec.EllipticCurvePrivateKey)
    assert isinstance(key.curve, ec.SECP256R1)
    assert first["STRIPE_WEBHOOK_SECRET"].startswith("whsec_")
    assert len(first["PLAZA_DEMO_PASSWORD"]) >= 16


def test_secret_of_a_newer_version_joins_the_old_ones(home):
    home.prepare()
    write_whole(home.secrets, json.dumps({"SECRET_KEY": "kept"}))

    assert secrets_of(home)["SECRET_KEY"] == "kept"
    assert read_json(home.secrets)["redis_password"] == secrets_of(home)["redis_password"]


def test_damaged_secrets_are_refused_and_not_replaced(home):
    home.prepare()
    home.secrets.write_text("{")

    with pytest.raises(Trouble, match="is damaged"):
        secrets_of(home)
    assert home.secrets.read_text() == "{"


def _fail_to_write(path, answers):
    # A limit of the process stands in for a full disk: the write itself fails, in the kernel.
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096))
    try:
        write_whole(path, "y" * 10_000)
    except OSError as error:
        answers.put((error.errno, str(error.filename)))


def test_failed_write_keeps_the_old_file_and_leaves_nothing_beside_it(tmp_path):
    path = tmp_path / "environment.json"
    write_whole(path, "x")
    answers = multiprocessing.get_context("fork").Queue()
    writer = multiprocessing.get_context("fork").Process(
        target=_fail_to_write, args=(path, answers)
    )
    writer.start()

    assert answers.get(timeout=10) == (errno.EFBIG, str(path))
    writer.join()
    assert path.read_text() == "x"
    assert list(tmp_path.iterdir()) == [path]


def test_refusals_of_the_system_are_told_in_words():
    for number in (errno.ENOSPC, errno.EROFS, errno.EACCES, errno.ENOTDIR):
        trouble = of_os_error(OSError(number, os.strerror(number), "/plaza/x"))
        assert trouble is not None
        assert "/plaza/x" in trouble.what
        assert trouble.todo
    assert of_os_error(OSError(errno.EBADF, "a defect of ours")) is None


def test_port_stays_the_same_until_somebody_else_takes_it(home):
    home.prepare()
    first = Ports(home).of("postgres")
    assert Ports(home).of("postgres") == first

    with socket.create_server(("127.0.0.1", first)):
        assert not is_free(first)
        assert next_free(first) != first
        assert Ports(home).of("postgres") != first


def test_lock_names_its_holder_and_is_free_afterwards(tmp_path):
    path = tmp_path / "up.lock"
    with holding(path, url="http://127.0.0.1:8000"):
        with pytest.raises(AlreadyHeld) as refusal, holding(path):
            pass
        assert (refusal.value.pid, refusal.value.url) == (os.getpid(), "http://127.0.0.1:8000")
    with holding(path):
        pass


def test_log_is_read_from_its_end_and_followed_by_whole_lines(tmp_path):
    log = tmp_path / "log"
    log.write_text("old\n")
    follower = Follower(log, since=4)
    with log.open("a") as file:
        file.write("one\ntw")
        file.flush()
        assert follower.new_lines() == ["one"]
        file.write("o\n")
    assert follower.new_lines() == ["two"]
    assert last_lines(log, count=1) == ["two"]
    assert last_lines(log, count=9, since=4) == ["one", "two"]
