"""Limits that guard identity: exact, apart from each other, and closed when they cannot count."""

import pytest
from django.test import RequestFactory

from config.errors import RateLimited, ServiceUnavailable
from tenants.identity.throttles import by_address, limited
from tests.tenants.identity.people import join, sign_in, told

pytestmark = [pytest.mark.usefixtures("still_clock", "db")]


def passes(*keys: str, group: str = "test", rate: str = "2/h") -> bool:
    try:
        limited(RequestFactory().get("/"), group=group, keys=keys, rate=rate)
    except RateLimited:
        return False
    return True


def test_exactly_the_limit_passes():
    assert [passes("a") for _ in range(4)] == [True, True, False, False]


def test_keys_whose_parts_join_alike_are_counted_apart():
    assert passes("ab", "c")
    assert passes("ab", "c")
    assert not passes("ab", "c")
    assert passes("a", "bc")
    assert passes("abc")
    assert passes("1:a")
    assert passes("ab", "c", group="tes")


def test_the_refusal_says_when_the_next_one_passes():
    passes("a", rate="1/h")

    with pytest.raises(RateLimited) as refused:
        limited(RequestFactory().get("/"), group="test", keys=["a"], rate="1/h")

    assert 1 <= refused.value.facts["retry_after_seconds"] <= 3600
    assert refused.value.headers == {"Retry-After": str(refused.value.facts["retry_after_seconds"])}


def test_a_customers_block_of_ipv6_counts_as_one_address():
    def keys(address: str) -> list[str]:
        return by_address(RequestFactory().get("/", REMOTE_ADDR=address))

    assert keys("2001:db8:1:2::1") == keys("2001:db8:1:2:ffff::9")
    assert keys("2001:db8:1:2::1") != keys("2001:db8:1:3::1")
    assert keys("192.0.2.1") != keys("192.0.2.2")


@pytest.fixture
def _redis_away(settings):
    settings.CACHES = {
        "default": {**settings.CACHES["default"], "LOCATION": "redis://127.0.0.1:9/0"}
    }


@pytest.mark.usefixtures("_redis_away")
def test_without_redis_the_limit_is_closed_and_says_when_to_try_again():
    with pytest.raises(ServiceUnavailable):
        passes("a")


def test_without_redis_nobody_signs_in_and_nobody_guesses(acme, request):
    join(acme)
    request.getfixturevalue("_redis_away")

    answer = sign_in(acme, "ada@example.test")

    assert told(answer) == (503, "service_unavailable")
    assert answer["Retry-After"] == "5"
