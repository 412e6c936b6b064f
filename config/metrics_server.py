"""`/metrics` of who answers no requests: a worker serves its processes' numbers at PLAZA_METRICS_PORT."""

from django.conf import settings
from prometheus_client import REGISTRY, CollectorRegistry, multiprocess, start_http_server


def serve_metrics() -> None:
    """Begin, in a thread of this process. Nothing where no port is named. Raises OSError."""
    if not settings.PLAZA_METRICS_PORT:
        return
    registry = REGISTRY
    if settings.PROMETHEUS_MULTIPROC_DIR:
        registry = CollectorRegistry()
        multiprocess.MultiProcessCollector(registry)  # type: ignore[no-untyped-call]
    # Beyond this machine only where a network policy says who may ask.
    address = "0.0.0.0" if settings.IS_PRODUCTION else "127.0.0.1"  # noqa: S104
    start_http_server(settings.PLAZA_METRICS_PORT, addr=address, registry=registry)
