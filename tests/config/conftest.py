from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from config.local.home import Home
from config.local.run import remove
from tests.config.local_runs import Run

SERVERS = "postgres,redis"


@pytest.fixture
def home(tmp_path: Path) -> Iterator[Home]:
    """A home of its own. As root the database lies outside, since pytest's folders are 0700."""
    found = Home(tmp_path / "a home")
    yield found
    remove(found)


@pytest.fixture
def launch(home: Home, tmp_path: Path) -> Iterator[Callable[..., Run]]:
    """Start `python -m config.local`; whatever is left of it at the end is ended."""
    runs: list[Run] = []

    def _launch(*arguments: str | Path, environment: dict[str, str] | None = None) -> Run:
        output = tmp_path / f"said.{len(runs)}"
        runs.append(Run(*arguments, output=output, environment=environment))
        return runs[-1]

    yield _launch
    for run in runs:
        run.end()


@pytest.fixture
def up(launch: Callable[..., Run], home: Home) -> Callable[..., Run]:
    """Start servers in `home` and wait until they are ready."""

    def _up(services: str = SERVERS) -> Run:
        run = launch("up", "--services", services, "--home", home.folder)
        run.await_words("✓ Up in")
        return run

    return _up
