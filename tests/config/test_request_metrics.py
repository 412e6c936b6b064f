"""`/metrics` tells how many requests of each route were answered, how, and how long they took."""

from prometheus_client import REGISTRY

from config.request_metrics import NOWHERE, PROBE
from tests.tenants.identity.people import browser


def _count(**labels: str) -> float:
    return REGISTRY.get_sample_value("http_requests_total", labels) or 0.0


def test_an_answer_is_counted_under_its_route_and_never_under_its_address(acme, api) -> None:
    route = "/api/v1/contacts/<uuid:pk>"
    before = _count(method="GET", endpoint=route, status="404")
    timed = REGISTRY.get_sample_value(
        "http_request_duration_seconds_count", {"method": "GET", "endpoint": route}
    )

    for last in "12":
        api(acme).get(f"/api/v1/contacts/01a22016-ba47-7744-b771-00000000000{last}", status=404)

    assert _count(method="GET", endpoint=route, status="404") == before + 2
    assert (
        REGISTRY.get_sample_value(
            "http_request_duration_seconds_count", {"method": "GET", "endpoint": route}
        )
        == (timed or 0) + 2
    )


def test_addresses_and_methods_that_are_none_of_ours_make_no_series_of_their_own(db) -> None:
    before = _count(method="other", endpoint=NOWHERE, status="404")

    for address in ("/one", "/two"):
        browser().generic("BREW", address)

    assert _count(method="other", endpoint=NOWHERE, status="404") == before + 2


def test_probes_are_no_requests_of_the_service_whatever_host_they_name(db) -> None:
    before = _count(method="GET", endpoint=PROBE, status="200")

    for address in ("/livez", "/metrics"):
        assert browser().get(address, HTTP_HOST="10.1.2.3:8000").status_code == 200

    assert _count(method="GET", endpoint=PROBE, status="200") == before + 2
