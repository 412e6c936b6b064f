"""`/livez` and `/readyz`, answered before the host is looked at: probes come by address."""

from collections.abc import Callable
from typing import Any

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.http import HttpRequest, HttpResponse, JsonResponse

from config.context import Place, at_place
from config.logs import logger

log = logger(__name__)
_ALIASES = {
    "/livez": "live",
    "/health": "live",
    "/api/health": "live",
    "/readyz": "ready",
    "/ready": "ready",
}


class HealthMiddleware:
    """Live: the process answers. Ready: PostgreSQL answers and is migrated (503 otherwise).

    Redis away makes an answer degraded, not red: the gate goes on without it (SAFETY, quotas/gate.py).
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        kind = _ALIASES.get(request.path_info)
        if kind is None or request.method not in {"GET", "HEAD"}:
            return self.get_response(request)
        if kind == "live":
            return JsonResponse({"status": "ok"})
        body = readiness()
        return JsonResponse(body, status=503 if body["status"] == "unavailable" else 200)


def readiness() -> dict[str, Any]:
    """`{status: ok|degraded|unavailable, checks: {database, redis}}`."""
    checks = {"database": _database(), "redis": _redis()}
    if checks["database"] != "ok":
        status = "unavailable"
    else:
        status = "ok" if checks["redis"] == "ok" else "degraded"
    return {"status": status, "checks": checks}


@at_place(Place.SQUARE)
def _database() -> str:
    try:
        connection.close_if_unusable_or_obsolete()
        with connection.cursor() as cursor:
            cursor.execute("SELECT count(*) FROM public.config_preparedrelease")
            return "ok" if cursor.fetchone()[0] else "not prepared"
    except DatabaseError as error:
        log.warning("readiness.database_failed", extra={"reason": type(error).__name__})
        return "unavailable"


def _redis() -> str:
    client = redis.Redis.from_url(settings.REDIS_URL, socket_timeout=1, socket_connect_timeout=1)
    try:
        client.ping()
    except redis.RedisError as error:
        log.warning("readiness.redis_failed", extra={"reason": type(error).__name__})
        return "unavailable"
    finally:
        client.close()
    return "ok"
