"""A process that ends by SIGKILL at one chosen point of its work: a statement, or a call of a provider."""

import os
import signal
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

import requests
from django.db import connection

from billing import providers


@dataclass(frozen=True, slots=True)
class Point:
    """The `number`th moment of some work, counted from 1, and what comes next there."""

    number: int
    told: str
    is_call: bool

    def __str__(self) -> str:
        return f"{self.number} ({self.told})"


def points_of(act: Callable[[], object]) -> list[Point]:
    """Let it work undisturbed; every point that it passed."""
    passed: list[Point] = []

    def note(told: str, *, is_call: bool) -> None:
        passed.append(Point(len(passed) + 1, told, is_call))

    with _watched(note):
        act()
    return passed


def killed_at(point: Point, act: Callable[[], object]) -> bool:
    """Another process begins `act` and is killed at the point; False where it ended before."""
    connection.close()  # a connection is one process's, and so are those of the providers' sessions
    providers.forget()
    child = os.fork()
    if child == 0:
        _die_at(point, act)
    _, status = os.waitpid(child, 0)
    if not os.WIFSIGNALED(status) and os.waitstatus_to_exitcode(status) != 0:
        raise AssertionError(f"it failed before {point}")
    return os.WIFSIGNALED(status)


def _die_at(point: Point, act: Callable[[], object]) -> None:
    passed, code = 0, 1

    def count(_told: str, *, is_call: bool) -> None:
        nonlocal passed
        passed += 1
        if passed == point.number:
            os.kill(os.getpid(), signal.SIGKILL)

    try:
        with _watched(count):
            act()
        code = 0
    finally:
        if code:
            traceback.print_exc()
        os._exit(code)


@contextmanager
def _watched(passing: Callable[..., None]) -> Iterator[None]:
    """Tell of each statement before it, and of each call before and after it."""
    asked: Any = requests.Session.request

    def statement(execute: Any, sql: str, *given: Any) -> Any:
        passing(" ".join(str(sql).split())[:60], is_call=False)
        return execute(sql, *given)

    def request(session: Any, method: str, url: str, *given: Any, **options: Any) -> Any:
        told = f"{method.upper()} {url.split('/', 3)[-1][:50]}"
        passing(f"before {told}", is_call=True)
        answer = asked(session, method, url, *given, **options)
        passing(f"after {told}", is_call=True)
        return answer

    setattr(requests.Session, "request", request)  # noqa: B010 - its type is its own
    try:
        with connection.execute_wrapper(statement):
            yield
    finally:
        setattr(requests.Session, "request", asked)  # noqa: B010
