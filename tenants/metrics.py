"""Prometheus: how many requests of each tenant were answered, and for whom `/metrics` is."""

from pathlib import Path
from uuid import UUID

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse
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


def metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics`: what this process and those beside it have counted; for our own network, to others it does not exist."""
    if is_from_outside(request):
        raise Http404
    if settings.PROMETHEUS_MULTIPROC_DIR:
        forget_the_dead(Path(settings.PROMETHEUS_MULTIPROC_DIR))
    answer: HttpResponse = ExportToDjangoView(request)
    return answer


def platform_metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics/platform`: how the servers stand (config/measuring.py), by whichever process is asked."""
    if is_from_outside(request):
        raise Http404
    now = timezone.now()  # noqa: TID251 - a view asks the clock
    return HttpResponse(exposition(now=now), content_type=CONTENT_TYPE_LATEST)
