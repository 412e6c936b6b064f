"""The gate with a clock, for a server that tests.bench.gate loads."""

import threading
import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from quotas import gate
from quotas.decision import Decision
from quotas.middleware import Gate
from quotas.question import Question

_decide = gate.decide
_last = threading.local()


def _timed(asked: Question) -> Decision:
    started = time.perf_counter()
    try:
        return _decide(asked)
    finally:
        _last.seconds = time.perf_counter() - started


gate.decide = _timed


class TimedGate(Gate):
    """`X-Gate-Microseconds`: how long the decision took, and the wait for a place at work before it."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = super().__call__(request)
        took = getattr(request, "gate_seconds", None)
        if took is not None:
            response["X-Gate-Microseconds"] = " ".join(str(round(each * 1e6)) for each in took)
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *given: object
    ) -> HttpResponse | None:
        started = time.perf_counter()
        answer = super().process_view(request, view, *given)
        whole = time.perf_counter() - started
        request.gate_seconds = (_last.seconds, whole - _last.seconds)  # type: ignore[attr-defined]
        return answer
