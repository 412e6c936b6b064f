"""Prometheus: calls to a payment provider that went wrong."""

from prometheus_client import Counter

ERRORS = Counter(
    "plaza_provider_errors",
    "Calls that failed: the provider was down, or it refused (a declined card is no error).",
    ["provider", "error"],
)


def count_error(provider: str, error: str) -> None:
    """`error` is `down` or `refused`."""
    ERRORS.labels(provider=provider, error=error).inc()
