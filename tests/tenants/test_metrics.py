"""Requests are counted by tenant, in a bounded number of series, for whoever may scrape them."""

import pytest

from tenants import metrics
from tests.tenants.identity.people import browser

pytestmark = pytest.mark.django_db


def test_requests_are_counted_by_tenant_in_a_bounded_number_of_series(
    acme, globex, monkeypatch, settings
):
    def counted() -> dict[str, float]:
        text = browser().get("/metrics").content.decode()
        lines = [
            line for line in text.splitlines() if line.startswith("plaza_tenant_requests_total{")
        ]
        return {line.rpartition(" ")[0]: float(line.rpartition(" ")[2]) for line in lines}

    def ask() -> None:
        for tenant in (acme, globex, globex):
            browser(tenant).get("/api/v1/contacts")

    def series(tenant: str) -> str:
        return f'plaza_tenant_requests_total{{answer="4xx",tenant="{tenant}"}}'

    before = counted()
    ask()
    after = counted()
    monkeypatch.setattr(metrics, "_named", set())
    settings.PLAZA_METRICS_TENANTS = 1
    ask()
    bounded = counted()

    def more(tenant: str, new: dict[str, float], old: dict[str, float]) -> float:
        return new.get(series(tenant), 0) - old.get(series(tenant), 0)

    names = (str(acme.id), str(globex.id), metrics.OTHERS)
    assert [more(name, after, before) for name in names] == [1, 2, 0]
    assert [more(name, bounded, after) for name in names] == [1, 0, 2]


@pytest.mark.parametrize(
    ("asker", "status"),
    [
        ({"REMOTE_ADDR": "10.1.2.3"}, 200),
        ({"REMOTE_ADDR": "9.9.9.9"}, 404),
        ({"REMOTE_ADDR": "10.1.2.3", "HTTP_X_FORWARDED_FOR": "10.9.9.9"}, 404),
    ],
)
def test_metrics_are_for_who_scrapes_from_our_own_network(asker, status, db):
    assert browser().get("/metrics", **asker).status_code == status
