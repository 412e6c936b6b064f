"""Prometheus: how many requests of each tenant were answered, and for whom `/metrics` is."""

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.utils import timezone
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import CONTENT_TYPE_LATEST, Counter

from config.measuring import exposition
from config.metrics_folder import forget_the_dead
from tenants.address import is_from_outside

# A series for each tenant and kind of answer, in each process: a bounded number. Those that come
# later are counted together; whose they were tells the request log, and the ledger for billing.
OTHERS = "others"
REQUESTS = Counter(
    "plaza_tenant_requests", "Answered requests by the tenant's opaque id.", ["tenant", "answer"]
)
_named: set[UUID] = set()


def count_request(tenant_id: UUID, status: int) -> None:
    """One more answer to this tenant, of a kind like "2xx"."""
    if tenant_id not in _named and len(_named) < settings.PLAZA_METRICS_TENANTS:
        _named.add(tenant_id)
    label = str(tenant_id) if tenant_id in _named else OTHERS
    REQUESTS.labels(tenant=label, answer=f"{status // 100}xx").inc()


class MetricsMiddleware:
    """Answers Prometheus before the host is looked at: it asks by the address of this very process.

    `/metrics` is what this process and those beside it have counted, `/metrics/platform` how the servers
    stand (config/measuring.py). Both are for our own network; to others they do not exist.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        answer = _ANSWERS.get(request.path_info)
        if answer is None or request.method != "GET" or is_from_outside(request):
            return self.get_response(request)
        return answer(request)


def _counted(request: HttpRequest) -> HttpResponse:
    if settings.PROMETHEUS_MULTIPROC_DIR:
        forget_the_dead(Path(settings.PROMETHEUS_MULTIPROC_DIR))
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def _standing(request: HttpRequest) -> HttpResponse:
    now = timezone.now()  # noqa: TID251 - whoever answers asks the clock
    return HttpResponse(exposition(now=now), content_type=CONTENT_TYPE_LATEST)


_ANSWERS = {"/metrics": _counted, "/metrics/platform": _standing}
