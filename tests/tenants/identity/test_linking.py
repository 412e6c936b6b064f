"""Who a provider's identity is among us: (issuer, subject), linked once by password, never by e-mail."""

from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings as plaza
from django.test import Client

from tenants.models import Person, PersonIdentity
from tenants.services import url_of
from tests.tenants.identity.journeys import Journey, linked
from tests.tenants.identity.people import PASSWORD, join

pytestmark = pytest.mark.usefixtures("openid")


@pytest.mark.parametrize("subject", ["unverified", "silent", "worded", "nameless"])
def test_an_e_mail_that_the_provider_does_not_vouch_for_links_nobody(acme, owner, subject):
    journey = Journey(acme, subject)

    assert journey.come_back().status_code == 403
    assert journey.link().status_code == 401
    assert PersonIdentity.objects.count() == 0


def test_a_verified_e_mail_alone_signs_nobody_in(acme, owner):
    journey = Journey(acme)
    journey.come_back()

    for password in ("", "wrong-horse-battery"):
        answer = journey.link(password)
        assert answer.status_code == 401
        assert b"The e-mail or the password is wrong." in answer.content
    assert PersonIdentity.objects.count() == 0
    assert journey.link().status_code == 302


def test_nobody_learns_whether_an_account_exists(acme, owner):
    known, unknown = Journey(acme), Journey(acme, "stranger")

    assert known.come_back().status_code == unknown.come_back().status_code == 200
    assert known.link("wrong").status_code == unknown.link("wrong").status_code == 401


def test_a_link_is_asked_for_ten_minutes(acme, owner):
    journey = Journey(acme)
    journey.come_back()
    session = journey.square.session
    kept = session["plaza_link"]
    assert 0 < kept["until"] - datetime.now(UTC).timestamp() <= 600
    session["plaza_link"] = {**kept, "until": kept["until"] - timedelta(minutes=10).seconds}
    session.save()

    assert journey.link().status_code == 401


def test_a_link_without_having_been_to_the_provider_is_refused(acme, owner):
    assert Journey(acme).link().status_code == 401


def test_a_link_is_made_by_a_form_of_ours_only(acme, owner):
    journey = Journey(acme)
    journey.come_back()
    strict = Client(enforce_csrf_checks=True, headers={"Host": plaza.PLAZA_DOMAIN})
    strict.cookies = journey.square.cookies

    assert strict.post("/login/openid/link", {"password": PASSWORD}).status_code == 403
    assert PersonIdentity.objects.count() == 0


def test_the_link_page_may_lead_to_the_tenants_host_alone(acme, owner):
    policy = Journey(acme).come_back()["Content-Security-Policy"]

    assert f"form-action 'self' {url_of(acme)}" in policy


def test_whoever_is_no_member_here_is_told_so_and_not_let_in(acme, globex, issuer):
    stranger = join(globex, email="stranger@example.test")
    linked(stranger, issuer, "stranger")

    assert Journey(acme, "stranger").come_back().status_code == 403


def test_an_operator_enters_no_tenant_by_it(acme, owner, issuer):
    linked(owner, issuer)
    Person.objects.filter(pk=owner.person_id).update(kind="operator")

    assert Journey(acme).come_back().status_code == 403


def test_an_identity_of_one_person_is_never_anothers(acme, owner, issuer):
    from tenants.identity.refusals import OpenIdRefused

    bob = join(acme, email="bob@example.test")
    linked(owner, issuer)
    linked(owner, issuer)

    with pytest.raises(OpenIdRefused):
        linked(bob, issuer)
