"""API calls under a spend cap: Redis decides from what the ledger last said, and the fold is exact again."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any

import pytest
import redis

from config.needs import Meter
from config.quick_redis import RedisAway
from quotas import api_calls, explanations
from quotas.caps.services import cap_spending
from quotas.caps.weights import Bend, Weight
from quotas.counters import SPENT_SECONDS, Counters, calls_key
from quotas.decision import Decision
from quotas.merging import Cap
from quotas.periods import Anchor
from quotas.refusals import SpendCapReached
from tenants.models import Tenant
from tests.quotas.capped import ONES, spent, weigh
from tests.quotas.conftest import NOON, PrivateValkey, facts
from tests.quotas.test_api_calls import NOVEMBER, done, total
from tests.quotas.test_ledger import take

pytestmark = pytest.mark.django_db
Ask = Callable[..., Decision]


def fold() -> None:
    api_calls.flush()
    api_calls.weigh(now=NOON)


def forget_spent(tenant: Tenant, valkey: PrivateValkey, *, ago: int) -> None:
    """As if the ledger had spoken so many microseconds earlier."""
    client = redis.Redis.from_url(valkey.url)
    client.hincrby(calls_key(tenant.pk, NOVEMBER), "elsewhere_at", -ago)
    client.close()


@pytest.fixture
def capped(tenant: Tenant, valkey: PrivateValkey) -> Iterator[Tenant]:
    """5 calls are included, each other weighs 1 of a budget of 10, and so does an e-mail."""
    weigh(tenant.pk, {"api_calls": ONES, "emails": ONES}, cap=10, api_calls=5, emails=0)
    yield tenant
    explanations.clear()


def test_calls_pass_as_far_as_the_budget_goes_and_the_refusal_tells_it(
    ask: Ask, capped: Tenant
) -> None:
    take(capped.pk, "mails", 4, Meter.EMAILS)
    assert done(ask, 12) == [True] * 11 + [False]
    decision = ask()
    assert isinstance(decision.refusal, SpendCapReached)
    assert facts(decision) == {
        "meter": "api_calls", "cap": 10, "spent": 10, "currency": "USD", "asked": 1,
        "resets_at": "2026-12-01T00:00:00Z",
    }  # fmt: skip
    assert (decision.rule, decision.limit, decision.used) == ("spend_cap:api_calls", 10, 10)
    fold()
    assert (total(capped), spent(capped.pk)) == (11, 10)
    with pytest.raises(SpendCapReached):
        take(capped.pk, "mail", 1, Meter.EMAILS)


def test_a_changed_cap_and_an_end_of_it_hold_for_the_next_request(ask: Ask, capped: Tenant) -> None:
    assert done(ask, 16)[-1] is False
    cap_spending(tenant_id=capped.pk, cap=Cap(11, "USD"), by="", now=NOON)
    assert done(ask, 2) == [True, False]
    cap_spending(tenant_id=capped.pk, cap=None, by="", now=NOON)
    assert done(ask, 100) == [True] * 100


def test_calls_weigh_in_redis_as_in_postgresql(
    ask: Ask, tenant: Tenant, valkey: PrivateValkey
) -> None:
    # 3 begun packages of 4 calls at 1.5, then 0.7 each: 4.5 rounds to 4, 5.2 to 5, 6.6 to 7.
    weight = Weight((Bend(0, 0, 15, 4), Bend(12, 45, 7)), scale=10)
    weigh(tenant.pk, {"api_calls": weight}, cap=6, api_calls=1)
    assert done(ask, 20).count(True) == 1 + 14
    fold()
    assert spent(tenant.pk) == 6 == weight.of(14)


def test_what_is_included_passes_whatever_was_spent(ask: Ask, capped: Tenant) -> None:
    take(capped.pk, "mails", 10, Meter.EMAILS)
    assert done(ask, 6) == [True] * 5 + [False]


def test_the_bound_is_the_price_of_what_was_let_in_since_the_ledger_last_spoke(
    ask: Ask, capped: Tenant, valkey: PrivateValkey
) -> None:
    assert done(ask, 6) == [True] * 6  # Redis has asked the ledger: nothing is spent elsewhere
    take(capped.pk, "mails", 10, Meter.EMAILS)  # the ledger knows of none of these calls
    assert done(ask, 10) == [True] * 9 + [False]  # 10 in all: never more than the whole cap again

    fold()

    assert spent(capped.pk) == 20  # 10 of them let in within the bound, and exact from now on
    assert done(ask) == [False]
    with pytest.raises(SpendCapReached):
        take(capped.pk, "mail", 1, Meter.EMAILS)


def test_what_the_ledger_said_is_believed_for_two_seconds(
    ask: Ask, capped: Tenant, valkey: PrivateValkey
) -> None:
    assert done(ask, 6) == [True] * 6
    take(capped.pk, "mails", 9, Meter.EMAILS)
    forget_spent(capped, valkey, ago=SPENT_SECONDS * 1_000_000)
    assert done(ask) == [False]


def test_a_fold_tells_redis_before_it_has_to_ask(
    ask: Ask, capped: Tenant, valkey: PrivateValkey, django_assert_num_queries: Any
) -> None:
    done(ask, 6)
    take(capped.pk, "mails", 9, Meter.EMAILS)
    fold()
    with django_assert_num_queries(1):  # the snapshot's own: this question has no kept one
        assert not ask().allowed


def test_without_redis_the_ledger_decides(
    ask: Ask, capped: Tenant, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away(*_: Any, **__: Any) -> None:
        raise RedisAway

    monkeypatch.setattr(Counters, "take", away)
    assert [done(ask)[0] for _ in range(5 + 10 + 2)] == [True] * 15 + [False] * 2


def test_a_month_weighs_against_the_billing_period_in_which_it_ends(
    ask: Ask, tenant: Tenant, valkey: PrivateValkey
) -> None:
    weigh(
        tenant.pk, {"api_calls": ONES, "emails": ONES}, cap=3, api_calls=0, emails=0,
        anchor=Anchor(NOON - timedelta(days=30)),
    )  # fmt: skip
    # NOON is the last moment of the period before: November ends in the next one, which has no mails yet.
    take(tenant.pk, "mails", 3, Meter.EMAILS, now=NOON - timedelta(seconds=1))
    assert done(ask, 4, now=NOON - timedelta(seconds=1)) == [True] * 3 + [False]
