"""Prometheus: how many requests of each tenant were answered, and for whom `/metrics` is."""

from uuid import UUID

from django.http import Http404, HttpRequest, HttpResponse
from django_prometheus.exports import ExportToDjangoView
from prometheus_client import Counter

from tenants.address import is_from_outside

# A series for each tenant and kind of answer, in each process: a bounded number. Those that come
# later are counted together; whose they were tells the request log, and the ledger for billing.
MOST_TENANTS = 500
OTHERS = "others"
REQUESTS = Counter(
    "plaza_tenant_requests", "Answered requests by the tenant's opaque id.", ["tenant", "answer"]
)
_named: set[UUID] = set()


def count_request(tenant_id: UUID, status: int) -> None:
    """One more answer to this tenant, of a kind like "2xx"."""
    if tenant_id not in _named and len(_named) < MOST_TENANTS:
        _named.add(tenant_id)
    label = str(tenant_id) if tenant_id in _named else OTHERS
    REQUESTS.labels(tenant=label, answer=f"{status // 100}xx").inc()


def metrics(request: HttpRequest) -> HttpResponse:
    """`/metrics`, for who scrapes this very process from our own network: to others it does not exist."""
    if is_from_outside(request):
        raise Http404
    answer: HttpResponse = ExportToDjangoView(request)
    return answer
