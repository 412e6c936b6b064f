"""Prometheus: how many requests were answered, how, and how long each took.

Labels are bounded: known methods, the routes of our own URL tables, and what Django answers with.
"""

from collections.abc import Callable
from functools import lru_cache
from time import perf_counter

from django.http import HttpRequest, HttpResponse
from prometheus_client import Counter, Gauge, Histogram

REQUESTS = Counter(
    "http_requests",
    "Answered requests by method, route and status.",
    ["method", "endpoint", "status"],
)
SECONDS = Histogram(
    "http_request_duration_seconds",
    "How long requests took, from the first middleware to the answer.",
    ["method", "endpoint"],
    buckets=(0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0),
)
# Those of all living processes together; what pods are scaled by.
IN_FLIGHT = Gauge(
    "plaza_requests_in_flight",
    "Requests that are not answered yet, those that wait for their turn included.",
    multiprocess_mode="livesum",
)
# Refused before its address was looked at, or an address that is none of ours.
NOWHERE = "unrouted"
# What our own machines ask all the time: no service that anybody is promised.
PROBE = "probe"
_PROBES = frozenset(
    {"/livez", "/readyz", "/health", "/api/health", "/ready", "/metrics", "/metrics/platform"}
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class RequestMetricsMiddleware:
    """Counts every answer; the first of all, so that nothing is left out of the time."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        began = perf_counter()
        IN_FLIGHT.inc()
        try:
            response = self.get_response(request)
        finally:
            IN_FLIGHT.dec()
        endpoint = _endpoint(request)
        method = request.method if request.method in _METHODS else "other"
        requests, seconds = _children(method or "other", endpoint, response.status_code)
        requests.inc()
        seconds.observe(perf_counter() - began)
        return response


def _endpoint(request: HttpRequest) -> str:
    match = request.resolver_match
    if match is not None:
        return f"/{match.route}"
    return PROBE if request.path_info in _PROBES else NOWHERE


@lru_cache(maxsize=4096)
def _children(method: str, endpoint: str, status: int) -> tuple[Counter, Histogram]:
    """Looking a series up by its labels costs more than counting in it."""
    return (
        REQUESTS.labels(method=method, endpoint=endpoint, status=str(status)),
        SECONDS.labels(method=method, endpoint=endpoint),
    )
