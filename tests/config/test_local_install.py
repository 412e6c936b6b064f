"""`make setup` on a copy of the checkout, with a small program in uv's place."""

import os
import shutil
import signal
import subprocess
import sys
import time

import pytest

from config.local.home import REPOSITORY
from config.local.install import _Interruption
from tests.config.local_runs import clean_environment

MACHINES_PYTHON = f"{sys.base_prefix}/bin/python3"
# What uv does to the folder, without the network: `venv` makes it, `pip sync` fills it.
_UV = """#!/bin/sh
echo "$*" >> .plaza/asked
case "$1" in
  venv) for last; do :; done; rm -rf "$last"; mkdir -p "$last/bin"; ln -s '{python}' "$last/bin/python" ;;
  pip) sleep $(cat .plaza/slowness 2>/dev/null || echo 0); {then} ;;
esac
"""


@pytest.fixture
def checkout(tmp_path):
    folder = tmp_path / "a checkout"
    shutil.copytree(REPOSITORY / "config" / "local", folder / "config" / "local")
    (folder / "config" / "__init__.py").touch()
    (folder / "requirements-dev.lock").write_text("django==5.2.19\n")
    (folder / ".plaza").mkdir()
    return folder


def _give_uv(checkout, then="true"):
    uv = checkout / ".plaza" / "boot" / "bin" / "uv"
    uv.parent.mkdir(parents=True, exist_ok=True)
    uv.write_text(_UV.format(python=sys.executable, then=then))
    uv.chmod(0o755)


def _start(checkout, **environment):
    return subprocess.Popen(
        [MACHINES_PYTHON, "-m", "config.local.install"],
        cwd=checkout,
        env=clean_environment(**environment),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )


def _asked(checkout):
    return [line.split()[0] for line in (checkout / ".plaza" / "asked").read_text().splitlines()]


def _end(process):
    said, _ = process.communicate(timeout=20)
    assert "Traceback" not in said
    return process.returncode, said


def test_packages_are_installed_once_for_each_lock_and_folder(checkout):
    _give_uv(checkout)
    assert _end(_start(checkout))[0] == 0
    assert _asked(checkout) == ["venv", "pip"]

    assert _end(_start(checkout)) == (0, "")
    assert _asked(checkout) == ["venv", "pip"]

    (checkout / "requirements-dev.lock").write_text("django==5.2.20\n")
    assert _end(_start(checkout))[0] == 0
    assert _asked(checkout) == ["venv", "pip", "pip"]

    moved = checkout.rename(checkout.with_name("moved"))
    assert _end(_start(moved))[0] == 0
    assert _asked(moved) == ["venv", "pip", "pip", "venv", "pip"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_interrupted_set_up_is_done_anew_by_the_same_command(checkout, number):
    _give_uv(checkout)
    (checkout / ".plaza" / "slowness").write_text("30")
    first = _start(checkout)
    _await_asked(checkout, "pip")
    first.send_signal(number)
    assert _end(first) == (
        130,
        "  installing the packages of requirements-dev.lock (a minute or so, this once)\n"
        "! interrupted; the same command goes on from here\n",
    )
    (checkout / ".plaza" / "slowness").unlink()

    assert _end(_start(checkout))[0] == 0
    assert _asked(checkout) == ["venv", "pip", "venv", "pip"]  # a half-filled .venv is not trusted


def test_two_set_ups_at_once_install_once(checkout):
    _give_uv(checkout)
    (checkout / ".plaza" / "slowness").write_text("0.5")
    ends = [_end(process) for process in (_start(checkout), _start(checkout))]

    assert [code for code, _ in ends] == [0, 0]
    assert "waiting for it" in ends[0][1] + ends[1][1]
    assert _asked(checkout) == ["venv", "pip"]


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ("error: No space left on device (os error 28)", "the disk is full"),
        ("error: Failed to fetch: https://packages.invalid/simple/x", "PyPI cannot be reached"),
        ("error: hash mismatch for x", "hash mismatch for x"),
    ],
)
def test_failure_of_the_installer_is_told_in_words(checkout, words, told):
    _give_uv(checkout, then=f"echo '{words}' >&2; exit 2")

    code, said = _end(_start(checkout))

    assert code == 1
    assert told in said
    assert not (checkout / ".venv" / "plaza-installed.json").exists()


def test_absent_network_is_told_with_what_to_do(checkout):
    nowhere = "http://127.0.0.1:9/simple"
    code, said = _end(
        _start(
            checkout,
            PIP_INDEX_URL=nowhere,
            PIP_EXTRA_INDEX_URL="",
            PIP_CONFIG_FILE=os.devnull,
            PIP_FIND_LINKS="",
            PIP_NO_CACHE_DIR="1",
        )
    )

    assert code == 1
    assert "Cannot fetch uv: PyPI cannot be reached" in said
    assert "HTTPS_PROXY" in said


def test_file_in_the_place_of_the_folder_is_named(checkout):
    (checkout / ".plaza").rmdir()
    (checkout / ".plaza").touch()

    code, said = _end(_start(checkout))

    assert code == 1
    assert f"{checkout}/.plaza" in said


def _await_asked(checkout, what):
    end = time.monotonic() + 10
    while not (checkout / ".plaza" / "asked").exists() or what not in _asked(checkout):
        assert time.monotonic() < end
        time.sleep(0.02)


def test_an_interruption_waits_until_what_was_started_is_known():
    interruption = _Interruption()
    interruption.is_held = True

    interruption(signal.SIGTERM, None)

    with pytest.raises(KeyboardInterrupt):
        interruption.let_through()
    with pytest.raises(KeyboardInterrupt):
        interruption(signal.SIGINT, None)
