"""Signing out, here and everywhere, and what the trail tells of it."""

from datetime import timedelta

import pytest
from django.utils import timezone

from config.needs import Role
from tenants.identity import tokens
from tenants.identity.people import add_member
from tenants.identity.refusals import TokenInvalid
from tenants.identity.signing_out import sign_out_everywhere
from tests.tenants.identity.people import PASSWORD, browser, join, program, sign_in, told

pytestmark = pytest.mark.django_db


def page(web, path="/"):
    return web.get(path).status_code


def entered(tenant, email):
    web = browser(tenant)
    assert web.post("/login", {"email": email, "password": PASSWORD}).status_code == 302
    return web


def test_signing_out_everywhere_ends_sessions_and_tokens_at_every_tenant_and_nobody_elses(
    acme, globex, owner
):
    elsewhere = add_member(tenant=globex, person=owner.person, role=Role.MEMBER)
    bob = join(acme, email="bob@example.test")
    webs = [entered(acme, owner.person.email), entered(globex, owner.person.email)]
    pairs = [tokens.issue(member=member, now=timezone.now()) for member in (owner, elsewhere)]
    bobs_web, bobs = entered(acme, bob.person.email), tokens.issue(member=bob, now=timezone.now())
    assert [page(web) for web in webs] == [200, 200]

    answer = program(acme, f"Bearer {pairs[0].access}").post("/api/v1/auth/logout-everywhere")

    assert answer.status_code == 204
    assert [page(web) for web in webs] == [302, 302]
    for tenant, pair in zip((acme, globex), pairs, strict=True):
        asked = program(tenant, f"Bearer {pair.access}")
        assert told(asked.get("/api/v1/me")) == (401, "token_invalid")
        with pytest.raises(TokenInvalid):
            tokens.rotate(refresh=pair.refresh, tenant=tenant, now=timezone.now())
    assert page(bobs_web) == 200
    assert program(acme, f"Bearer {bobs.access}").get("/api/v1/me").status_code == 200
    # Whoever signs in afterwards is in.
    assert page(entered(acme, owner.person.email)) == 200
    assert sign_in(acme, owner.person.email).status_code == 200


def test_a_session_that_began_later_stays(acme, owner):
    web = entered(acme, owner.person.email)

    sign_out_everywhere(member=owner, now=timezone.now() - timedelta(minutes=1))

    assert page(web) == 200
