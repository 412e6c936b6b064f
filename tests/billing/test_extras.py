"""Add-ons, gifts, credits, trials and overrides: what counts, until when, and who may say so."""

from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest

from billing.models import Subscription
from billing.services import extras, grants
from billing.services.extras import PRIORITIES, Extra, Source
from config.errors import NotFound, ValidationFailed
from config.needs import Feature, Meter
from quotas.entitlements import snapshot
from quotas.models import Grant

pytestmark = pytest.mark.django_db
MID_MARCH = datetime(2026, 3, 15, tzinfo=UTC)


def give(tenant_id: UUID, source: Source, key: str = "x", **more: Any) -> None:
    until, now = more.pop("until", None), more.pop("now", MID_MARCH)
    extras.give(
        tenant_id=tenant_id, extra=Extra(source, key, **more), by="operator:1",
        reason="Promised in March.", now=now, expires_at=until,
    )  # fmt: skip


def limits(tenant_id: UUID, at: datetime = MID_MARCH) -> tuple[int | None, int | None]:
    found = snapshot(tenant_id, now=at)
    return found.limit(Meter.EMAILS), found.limit(Meter.CONTACTS)


def test_the_table_of_sources_is_the_code_s():
    told = [
        line.split("|")[1:4]
        for line in (extras.__doc__ or "").splitlines()
        if "`:" in line or ":<" in line
    ]

    assert {name.strip().strip("`").split(":")[0]: int(priority) for _, name, priority in told} == {
        source.value: priority for source, priority in PRIORITIES.items()
    }


def test_add_ons_gifts_and_credits_come_on_top_of_the_plan_together(globex):
    assert limits(globex.pk) == (25_000, 5_000)

    give(globex.pk, Source.ADD_ON, adds={Meter.EMAILS: 10_000, Meter.CONTACTS: 500})
    give(globex.pk, Source.GIFT, adds={Meter.EMAILS: 1_000}, features=[Feature.SINGLE_SIGN_ON])
    give(globex.pk, Source.CREDIT, adds={Meter.EMAILS: 100})

    assert limits(globex.pk) == (36_100, 5_500)
    assert Feature.SINGLE_SIGN_ON.value in snapshot(globex.pk, now=MID_MARCH).features
    assert snapshot(globex.pk, now=MID_MARCH).plan == "starter"


def test_an_override_is_the_last_word_until_its_end_that_moment_excluded(globex):
    end = MID_MARCH + timedelta(days=7)
    give(globex.pk, Source.ADD_ON, adds={Meter.EMAILS: 10_000})
    give(globex.pk, Source.OVERRIDE, limits={Meter.EMAILS: 7}, until=end)

    assert limits(globex.pk) == (7, 5_000)
    assert limits(globex.pk, end - timedelta(microseconds=1)) == (7, 5_000)
    assert limits(globex.pk, end) == (35_000, 5_000)


def test_an_override_may_be_unlimited_and_what_comes_on_top_leaves_it_so(globex):
    give(globex.pk, Source.OVERRIDE, limits={Meter.EMAILS: None}, until=MID_MARCH + timedelta(1))
    give(globex.pk, Source.GIFT, adds={Meter.EMAILS: 5})

    assert limits(globex.pk)[0] is None


def test_a_credit_ends_with_the_present_period_by_itself(globex):
    Subscription.objects.filter(tenant=globex).update(
        anchored_at=datetime(2026, 1, 31, 9, 30, tzinfo=UTC)
    )
    grants.entitle(tenant_id=globex.pk, plan="starter", now=MID_MARCH)
    give(globex.pk, Source.CREDIT, adds={Meter.EMAILS: 100})
    end = datetime(2026, 3, 31, 9, 30, tzinfo=UTC)

    assert Grant.objects.get(tenant_id=globex.pk, source="credit:x").expires_at == end
    assert [limits(globex.pk, at)[0] for at in (end - timedelta(seconds=1), end)] == [
        25_100,
        25_000,
    ]


def test_a_trial_gives_a_higher_plan_and_takes_nothing_of_one_that_is_higher(globex, acme):
    end = MID_MARCH + timedelta(days=14)
    for tenant in (globex, acme):
        give(tenant.pk, Source.TRIAL, "starter" if tenant == acme else "growth", until=end)

    assert limits(globex.pk) == (250_000, 50_000)
    assert limits(acme.pk) == (250_000, 50_000)
    assert limits(globex.pk, end) == (25_000, 5_000)


def test_what_was_given_is_replaced_and_taken_back_and_the_plan_stays(globex):
    give(globex.pk, Source.ADD_ON, adds={Meter.EMAILS: 10})
    give(globex.pk, Source.ADD_ON, adds={Meter.EMAILS: 20})
    assert limits(globex.pk)[0] == 25_020
    row = Grant.objects.get(tenant_id=globex.pk, source="add_on:x")
    assert (row.granted_by, row.reason) == ("operator:1", "Promised in March.")

    extras.withdraw(
        tenant_id=globex.pk, source=Source.ADD_ON, key="x", by="operator:1", reason="Over."
    )

    assert limits(globex.pk)[0] == 25_000
    with pytest.raises(NotFound):
        extras.withdraw(
            tenant_id=globex.pk, source=Source.ADD_ON, key="x", by="operator:1", reason="Over."
        )


def test_a_change_of_plan_leaves_what_was_given_beside_it(globex):
    give(globex.pk, Source.ADD_ON, adds={Meter.EMAILS: 10})

    grants.entitle(tenant_id=globex.pk, plan="free", now=MID_MARCH)

    assert limits(globex.pk)[0] == 1_010


@pytest.mark.parametrize(
    ("source", "more", "field"),
    [
        (Source.OVERRIDE, {"limits": {Meter.EMAILS: 1}}, "expires_at"),
        (Source.OVERRIDE, {"limits": {Meter.EMAILS: 1}, "until": MID_MARCH}, "expires_at"),
        (Source.OVERRIDE, {"until": MID_MARCH + timedelta(1)}, "limits"),
        (
            Source.OVERRIDE,
            {
                "adds": {Meter.EMAILS: 1},
                "limits": {Meter.SMS: 1},
                "until": MID_MARCH + timedelta(1),
            },
            "source",
        ),
        (Source.GIFT, {"limits": {Meter.EMAILS: 1}, "adds": {Meter.EMAILS: 1}}, "source"),
        (Source.GIFT, {}, "adds"),
        (Source.TRIAL, {}, "expires_at"),
        (Source.CREDIT, {"adds": {Meter.CONTACTS: 1}}, "adds"),
    ],
)
def test_what_does_not_say_enough_is_refused_by_field(globex, source, more, field):
    with pytest.raises(ValidationFailed) as refused:
        give(globex.pk, source, "growth", **more)

    assert list(refused.value.facts["errors"]) == [field]
    assert limits(globex.pk) == (25_000, 5_000)


def test_no_reason_no_gift(globex):
    with pytest.raises(ValidationFailed) as refused:
        extras.give(
            tenant_id=globex.pk, extra=Extra(Source.GIFT, "x", adds={Meter.SMS: 1}),
            by="operator:1", reason=" ", now=MID_MARCH,
        )  # fmt: skip
    assert list(refused.value.facts["errors"]) == ["reason"]
