"""Limits that guard identity: exact, apart from each other, and closed when they cannot count."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.db import OperationalError, connection
from django.db.models import F
from django.test import RequestFactory

from config.errors import RateLimited, ServiceUnavailable
from tenants.identity import attempts
from tenants.identity.throttles import by_address, limited
from tenants.models import AttemptCount
from tests import factories
from tests.quotas.conftest import PrivateValkey
from tests.stack import free_port
from tests.tenants.identity.people import join, sign_in

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
def redis_server(settings, tmp_path) -> Iterator[PrivateValkey]:
    """django-ratelimit counts in this server, which a test may kill."""
    server = PrivateValkey(tmp_path, free_port())
    server.start()
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": server.url}}
    yield server
    server.kill()


def test_a_killed_redis_lets_nobody_try_again_what_it_had_counted(redis_server):
    assert [passes("a", rate="3/h") for _ in range(2)] == [True, True]
    redis_server.kill()
    assert [passes("a", rate="3/h") for _ in range(3)] == [True, False, False]


def test_a_redis_that_comes_back_empty_gives_nothing_back(redis_server):
    assert [passes("a") for _ in range(3)] == [True, True, False]
    redis_server.kill()
    redis_server.start()
    assert not passes("a")


def test_without_redis_the_next_window_begins_with_its_first_attempt(redis_server, monkeypatch):
    redis_server.kill()
    assert [passes("a", rate="1/m") for _ in range(2)] == [True, False]
    with pytest.raises(RateLimited) as refused:
        limited(RequestFactory().get("/"), group="test", keys=["a"], rate="1/m")
    assert 55 <= refused.value.facts["retry_after_seconds"] <= 60
    AttemptCount.objects.update(ends_at=F("ends_at") - timedelta(seconds=61))
    assert [passes("a", rate="1/m") for _ in range(2)] == [True, False]


@pytest.mark.django_db(transaction=True)
def test_without_redis_exactly_the_limit_of_sixty_four_at_once_passes(redis_server):
    redis_server.kill()

    def attempt(_: int) -> bool:
        try:
            return passes("a", rate="10/h")
        finally:
            connection.close()

    with ThreadPoolExecutor(16) as pool:
        assert sum(pool.map(attempt, range(64))) == 10


def test_without_redis_people_sign_in_and_guessers_are_stopped(acme, redis_server):
    join(acme)
    redis_server.kill()

    assert sign_in(acme, "ada@example.test").status_code == 200
    answers = [sign_in(acme, "ada@example.test", password="a wrong guess") for _ in range(10)]
    assert [answer.status_code for answer in answers] == [401] * 9 + [429]


def test_without_redis_an_attempt_that_a_rollback_would_forget_is_refused(redis_server):
    keyed = RequestFactory().post("/", headers={"Idempotency-Key": "k"})
    limited(keyed, group="test", keys=["a"], rate="2/h")
    redis_server.kill()
    with pytest.raises(ServiceUnavailable):
        limited(keyed, group="test", keys=["a"], rate="2/h")
    assert AttemptCount.objects.count() == 0


def test_without_redis_and_postgresql_the_limit_is_closed_and_says_when_to_try_again(redis_server):
    redis_server.kill()

    def fail(execute, sql, *rest):
        raise OperationalError("the server closed the connection unexpectedly")

    with connection.execute_wrapper(fail), pytest.raises(ServiceUnavailable) as refused:
        passes("a")
    assert refused.value.headers == {"Retry-After": "5"}


def test_counts_whose_window_ended_are_let_go(now):
    for ends_at in (now - timedelta(hours=2), now - timedelta(minutes=1), now + timedelta(hours=1)):
        factories.AttemptCountFactory(ends_at=ends_at)
    assert attempts.forget(now=now) == 1
    assert AttemptCount.objects.count() == 2
