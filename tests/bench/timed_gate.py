"""The gate with a clock, for a server that tests.bench.gate loads."""

import time
from collections.abc import Callable
from typing import Any

from django.http import HttpRequest, HttpResponse

from quotas.middleware import Gate


class TimedGate(Gate):
    """`X-Gate-Microseconds`: how long the request waited for its decision."""

    def __call__(self, request: HttpRequest) -> HttpResponse:
        response = super().__call__(request)
        took = getattr(request, "gate_seconds", None)
        if took is not None:
            response["X-Gate-Microseconds"] = str(round(took * 1e6))
        return response

    def process_view(
        self, request: HttpRequest, view: Callable[..., Any], *given: object
    ) -> HttpResponse | None:
        started = time.perf_counter()
        answer = super().process_view(request, view, *given)
        request.gate_seconds = time.perf_counter() - started  # type: ignore[attr-defined]
        return answer
