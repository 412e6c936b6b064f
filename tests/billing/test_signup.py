"""Sign-up: all of it or nothing, and whatever was cut off goes on."""

from datetime import timedelta
from typing import Any

import pytest
from django.db import connection

from billing import signup
from billing.models import Subscription
from billing.tasks import finish_sign_up, finish_sign_ups
from config.errors import ValidationFailed
from config.models import OutboxMessage
from config.needs import Meter
from quotas import ledger
from quotas.entitlements import snapshot
from tenants.identity.people import create_person
from tenants.identity.refusals import EmailTaken
from tenants.models import Domain, Member, Person, Tenant
from tenants.services import SlugTaken

pytestmark = pytest.mark.django_db
PASSWORD = "market-square-2026"


def wish(**changes: Any) -> dict[str, Any]:
    return {
        "organisation": "Records SA",
        "slug": "records",
        "email": "owner@records.test",
        "password": PASSWORD,
        "plan": "starter",
    } | changes


def tables_of(tenant: Tenant) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM pg_tables WHERE schemaname = %s", [tenant.schema_name])
        return int(cursor.fetchone()[0])


def test_a_sign_up_makes_an_active_tenant_with_owner_trial_and_entitlements(now):
    tenant = signup.sign_up(**wish(), now=now)

    assert (tenant.status, tenant.slug) == ("active", "records")
    assert tables_of(tenant) > 3
    member = Member.objects.get(tenant=tenant)
    assert (member.role, member.person.email) == ("owner", "owner@records.test")
    subscription = Subscription.objects.get(tenant=tenant)
    assert (subscription.plan, subscription.status) == ("starter", "trialing")
    assert subscription.trial_ends_at == now + timedelta(days=14)
    granted = snapshot(tenant.id, now=now)
    assert (granted.plan, granted.limit(Meter.CONTACTS)) == ("starter", 5_000)
    assert ledger.remaining(tenant_id=tenant.id, meter=Meter.SEATS, now=now) == 4


def test_the_free_plan_is_active_at_once_and_has_no_trial(now):
    tenant = signup.sign_up(**wish(plan="free"), now=now)

    subscription = Subscription.objects.get(tenant=tenant)
    assert (subscription.plan, subscription.status) == ("free", "active")
    assert subscription.trial_ends_at is None


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"plan": "platinum"}, "plan"),
        ({"slug": "www"}, "slug"),
        ({"slug": "-x-"}, "slug"),
        ({"email": "nobody"}, "email"),
        ({"password": "short"}, "password"),
    ],
)
def test_a_wrong_wish_leaves_nothing_behind(now, changes, field):
    with pytest.raises(ValidationFailed) as refusal:
        signup.sign_up(**wish(**changes), now=now)

    assert field in refusal.value.facts["errors"]
    assert (Tenant.objects.count(), Person.objects.count(), Domain.objects.count()) == (0, 0, 0)


def test_a_taken_slug_leaves_nothing_of_the_second_behind(now):
    signup.sign_up(**wish(), now=now)

    with pytest.raises(SlugTaken):
        signup.sign_up(**wish(email="other@records.test"), now=now)

    assert Tenant.objects.count() == 1
    assert not Person.objects.filter(email="other@records.test").exists()


def test_a_person_who_has_an_account_owns_a_second_tenant_by_its_password(now):
    signup.sign_up(**wish(), now=now)

    second = signup.sign_up(**wish(slug="second", email="OWNER@records.test"), now=now)

    assert Person.objects.count() == 1
    assert Member.objects.filter(person__email="owner@records.test").count() == 2
    assert second.status == "active"


def test_a_known_e_mail_with_a_wrong_password_is_refused(now):
    signup.sign_up(**wish(), now=now)

    with pytest.raises(EmailTaken):
        signup.sign_up(**wish(slug="second", password="not-the-password-1"), now=now)

    assert not Tenant.objects.filter(slug="second").exists()


def test_an_operator_does_not_become_an_owner(now):
    create_person(email="op@plaza.test", password=PASSWORD, kind=Person.Kind.OPERATOR)

    with pytest.raises(EmailTaken):
        signup.sign_up(**wish(email="op@plaza.test"), now=now)


def test_nobodys_address_signs_up_for_nothing_in_production(now, settings):
    create_person(email="owner@acme.test", password=PASSWORD)
    settings.IS_PRODUCTION = True

    with pytest.raises(ValidationFailed) as refusal:
        signup.sign_up(**wish(), now=now)
    assert [*refusal.value.facts["errors"]] == ["email"]
    with pytest.raises(EmailTaken):
        signup.sign_up(**wish(email="owner@acme.test"), now=now)
    assert not Tenant.objects.exists()


def test_a_cut_off_sign_up_is_found_and_finished_by_the_tasks(now):
    tenant = signup.reserve(application=signup.Application(**wish()), now=now)
    Tenant.objects.filter(pk=tenant.pk).update(created_at=now - timedelta(seconds=61))
    assert tables_of(tenant) == 0

    assert finish_sign_ups() == 1
    promised = OutboxMessage.objects.get(task="billing.finish_sign_up")
    finish_sign_up(**promised.arguments)

    tenant.refresh_from_db()
    assert tenant.status == "active"
    assert tables_of(tenant) > 3
    assert finish_sign_ups() == 0


def test_a_young_sign_up_and_a_tenant_reserved_elsewhere_are_left_alone(now):
    from tenants.services import reserve

    signup.reserve(application=signup.Application(**wish()), now=now)
    other = reserve(slug="elsewhere", organisation="Elsewhere")
    Tenant.objects.filter(pk=other.pk).update(created_at=now - timedelta(hours=1))

    assert finish_sign_ups() == 0


def test_repeating_ones_own_unfinished_sign_up_continues_it(now):
    begun = signup.reserve(application=signup.Application(**wish()), now=now)

    tenant = signup.sign_up(**wish(), now=now)

    assert tenant.pk == begun.pk
    assert tenant.status == "active"
    assert ledger.remaining(tenant_id=tenant.id, meter=Meter.SEATS, now=now) == 4


def test_finishing_twice_changes_nothing(now):
    tenant = signup.sign_up(**wish(), now=now)

    assert signup.finish(tenant_id=tenant.id).status == "active"


def test_the_password_is_in_no_representation():
    assert PASSWORD not in repr(signup.Application(**wish()))
