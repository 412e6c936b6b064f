from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from config.ids import new_id
from config.needs import Feature, Meter
from quotas import entitlements
from quotas.entitlements import Rate, snapshot
from tests.quotas.conftest import FEATURE_LADDER, LADDER, NOON

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]


def test_a_tenant_without_grants_may_nothing() -> None:
    found = snapshot(new_id(), now=NOON)
    assert (found.plan, found.features, found.limit(Meter.CONTACTS)) == ("", frozenset(), 0)


def test_a_plan_grants_its_features_limits_and_rates(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="growth", contacts=50_000, seats=None, rates={"tenant": (600, 60)})
    found = snapshot(tenant_id, now=NOON)
    assert found.plan == "growth"
    assert found.features == {"crm"}
    assert (found.limit(Meter.CONTACTS), found.limit(Meter.SEATS)) == (50_000, None)
    assert found.rates == {"tenant": Rate(600, 60)}


def test_another_tenants_grants_are_not_seen(granted: Granted) -> None:
    granted(new_id(), contacts=5)
    assert snapshot(new_id(), now=NOON).limits == {}


def test_granting_again_replaces_what_the_source_granted(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="free", contacts=500)
    granted(tenant_id, plan="starter", features=(Feature.CAMPAIGNS,), seats=5)
    found = snapshot(tenant_id, now=NOON)
    assert (found.plan, found.features, found.limits) == (
        "starter",
        frozenset({"campaigns"}),
        {"seats": 5},
    )


def test_features_of_all_grants_add_up(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, features=(Feature.CRM,))
    granted(tenant_id, source="addon", features=(Feature.CONTENT,), priority=10)
    assert snapshot(tenant_id, now=NOON).features == {"crm", "content"}


def test_an_override_decides_the_limits_it_names_and_no_others(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=500, seats=2)
    granted(tenant_id, source="override", plan="", priority=100, contacts=100, rates={})
    found = snapshot(tenant_id, now=NOON)
    assert found.limits == {"contacts": 100, "seats": 2}
    assert (found.plan, found.rates) == ("free", {"tenant": Rate(600, 60)})


@pytest.mark.parametrize(
    ("one", "other", "decided"), [(5, 7, 7), (7, 5, 7), (None, 7, None), (7, None, None)]
)
def test_among_equals_the_most_generous_limit_decides(
    granted: Granted, one: int | None, other: int | None, decided: int | None
) -> None:
    tenant_id = new_id()
    granted(tenant_id, source="a", contacts=one)
    granted(tenant_id, source="b", contacts=other)
    assert snapshot(tenant_id, now=NOON).limit(Meter.CONTACTS) == decided


def test_among_equals_the_faster_rate_decides(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, source="a", rates={"tenant": (600, 60)})
    granted(tenant_id, source="b", rates={"tenant": (100, 1)})
    assert snapshot(tenant_id, now=NOON).rates == {"tenant": Rate(100, 1)}


def test_the_plans_name_is_that_of_the_highest_priority_and_then_of_the_newest(
    granted: Granted,
) -> None:
    tenant_id = new_id()
    granted(tenant_id, source="a", plan="growth", now=NOON)
    granted(tenant_id, source="b", plan="starter", now=NOON - timedelta(days=1))
    assert snapshot(tenant_id, now=NOON).plan == "growth"
    granted(tenant_id, source="trial", plan="scale", priority=5, now=NOON - timedelta(days=2))
    assert snapshot(tenant_id, now=NOON).plan == "scale"


def test_a_grant_ends_at_its_expiry(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=500)
    granted(tenant_id, source="gift", priority=9, contacts=900, expires_at=NOON)
    assert snapshot(tenant_id, now=NOON - timedelta(microseconds=1)).limit(Meter.CONTACTS) == 900
    assert snapshot(tenant_id, now=NOON).limit(Meter.CONTACTS) == 500


def test_a_withdrawn_grant_is_gone_and_withdrawing_again_is_harmless(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, contacts=500)
    for _ in range(2):
        entitlements.withdraw(tenant_id=tenant_id, source="plan")
    assert snapshot(tenant_id, now=NOON).limits == {}


def test_the_upgrade_is_the_cheapest_plan_above_that_allows_what_is_needed(
    granted: Granted,
) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="starter", contacts=5_000)
    found = snapshot(tenant_id, now=NOON)
    assert found.upgrade_for(Meter.CONTACTS, 5_001) == "growth"
    assert found.upgrade_for(Meter.CONTACTS, 50_000) == "growth"
    assert found.upgrade_for(Meter.CONTACTS, 50_001) == "enterprise"
    assert found.upgrade_for(Meter.SEATS, 6) is None


def test_no_plan_below_the_present_one_is_an_upgrade(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="growth", contacts=50_000)
    granted(tenant_id, source="override", plan="", priority=100, contacts=10)
    assert snapshot(tenant_id, now=NOON).upgrade_for(Meter.CONTACTS, 11) == "enterprise"


def test_no_plan_is_named_where_an_override_decides(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id, plan="free", contacts=500, api_calls=10)
    entitlements.grant(
        tenant_id=tenant_id, source="override:abuse", plan="", features=(), limits={"contacts": 20},
        rates={}, ladder={}, feature_ladder={}, priority=900, now=NOON,
    )  # fmt: skip
    found = snapshot(tenant_id, now=NOON)
    assert found.limit(Meter.CONTACTS) == 20
    assert found.upgrade_for(Meter.CONTACTS, 21) is None
    assert found.upgrade_for(Meter.API_CALLS, 11) == "starter"


def test_the_cheapest_plan_with_a_feature_is_named(granted: Granted) -> None:
    tenant_id = new_id()
    granted(tenant_id)
    found = snapshot(tenant_id, now=NOON)
    assert found.upgrade_with(Feature.SINGLE_SIGN_ON) == "scale"
    assert found.upgrade_with(Feature.AUDIT_EXPORT) is None


def test_a_hold_is_seen_even_when_nothing_is_granted() -> None:
    tenant_id = new_id()
    entitlements.hold(tenant_id=tenant_id, code="subscription_past_due")
    assert snapshot(tenant_id, now=NOON).hold == "subscription_past_due"
    entitlements.hold(tenant_id=tenant_id, code=None)
    assert snapshot(tenant_id, now=NOON).hold == ""


def test_the_snapshot_is_one_query(granted: Granted, django_assert_num_queries: Any) -> None:
    tenant_id = new_id()
    for source in ("plan", "addon", "override"):
        granted(tenant_id, source=source, contacts=1)
    with django_assert_num_queries(1):
        snapshot(tenant_id, now=NOON)


@pytest.mark.parametrize(
    "wrong",
    [
        {"features": ["flying"]},
        {"limits": {"dreams": 3}},
        {"limits": {"contacts": -1}},
        {"rates": {"tenant": (0, 60)}},
        {"rates": {"tenant": (60, 0)}},
        {"ladder": {"dreams": []}},
    ],
)
def test_a_grant_that_makes_no_sense_is_refused(wrong: dict[str, Any]) -> None:
    facts: dict[str, Any] = {
        "features": [], "limits": {}, "rates": {}, "ladder": LADDER, "feature_ladder": FEATURE_LADDER,
    }  # fmt: skip
    with pytest.raises(ValueError):  # noqa: PT011
        entitlements.grant(
            tenant_id=new_id(), source="plan", plan="free", now=NOON, **facts | wrong
        )


def test_an_unknown_hold_is_refused() -> None:
    with pytest.raises(ValueError, match="no hold"):
        entitlements.hold(tenant_id=new_id(), code="bad_mood")
