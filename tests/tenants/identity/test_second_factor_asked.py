"""Where a second factor is asked for: by a tenant of its roles, and at the page of sign-in."""

import re
from copy import deepcopy
from typing import Any

import pytest
from django.utils import timezone

from config.needs import Role
from tenants.identity import tokens
from tenants.identity.people import add_member
from tenants.models import Person
from tests.tenants.identity.factors import asked, code, equipped
from tests.tenants.identity.people import PASSWORD, browser, join, told

pytestmark = pytest.mark.django_db


def test_a_tenant_asks_roles_for_a_second_factor_from_their_next_request_on(acme, globex, owner):
    reader = join(acme, email="bob@example.test", role=Role.READ_ONLY)
    elsewhere = add_member(tenant=globex, person=reader.person, role=Role.OWNER)
    now = timezone.now()
    plain = asked(acme, tokens.issue(member=owner, now=now).access)
    proved = asked(acme, tokens.issue(member=owner, now=now, has_second_factor=True).access)
    readers = asked(acme, tokens.issue(member=reader, now=now).access)
    others = asked(globex, tokens.issue(member=elsewhere, now=now).access)
    web = browser(acme)
    web.post("/login", {"email": reader.person.email, "password": PASSWORD})

    def ask(client: Any, *roles: str) -> Any:
        wish = {"second_factor_roles": roles}
        return client.put("/api/v1/sign-in-policy", wish, content_type="application/json")

    assert told(ask(readers, "owner")) == (403, "permission_denied")
    assert told(ask(proved, "king")) == (400, "validation_failed")
    # Nobody shuts themselves out.
    assert told(ask(plain, "*")) == (403, "second_factor_required")
    assert ask(plain, "read_only").json() == {"second_factor_roles": ["read_only"]}
    assert told(readers.get("/api/v1/contacts")) == (403, "second_factor_required")
    assert readers.get("/api/v1/me").status_code == 200
    assert others.get("/api/v1/contacts").status_code == 200
    assert plain.get("/api/v1/contacts").status_code == 200
    sent = web.get("/contacts")
    assert (sent.status_code, sent["Location"]) == (302, "/account/second-factor")
    assert ask(proved, "*").status_code == 200
    assert told(plain.get("/api/v1/contacts")) == (403, "second_factor_required")
    assert proved.get("/api/v1/contacts").status_code == 200
    # Whoever is asked sets one up there and is in, with the session that they have.
    page = web.post("/account/second-factor/begin", {"present_password": PASSWORD})
    assert re.search(r"<code>[A-Z2-7]{32}</code>", page.content.decode())
    done = web.post("/account/second-factor/confirm", {"otp": code(reader.person)})
    assert len(re.findall(r"<li><code>", done.content.decode())) == 10
    assert web.get("/contacts").status_code == 200
    assert told(readers.get("/api/v1/contacts")) == (403, "second_factor_required")


def test_the_page_of_sign_in_asks_for_the_code_before_any_session_opens(acme, globex, owner):
    person = owner.person
    equipped(person)
    web = browser(acme)
    assert web.get("/login/second-factor")["Location"] == "/login"

    first = web.post("/login", {"email": person.email, "password": PASSWORD, "next": "/usage"})

    assert first["Location"] == "/login/second-factor"
    assert web.get("/usage").status_code == 302
    assert web.get("/login/second-factor").status_code == 200
    # The half that is proved is another tenant's as little as a session is.
    stranger = browser(globex)
    stranger.cookies = deepcopy(web.cookies)
    assert stranger.get("/login/second-factor")["Location"] == "/login"
    assert web.post("/login/second-factor", {"otp": "000000"}).status_code == 401
    done = web.post("/login/second-factor", {"otp": code(person)})
    assert (done.status_code, done["Location"]) == (302, "/usage")
    assert web.get("/usage").status_code == 200
    # A password that changes meanwhile voids the half that was proved.
    other = browser(acme)
    other.post("/login", {"email": person.email, "password": PASSWORD})
    changed = Person.objects.get(pk=person.pk)
    changed.set_password("another-one-entirely")
    changed.save()
    assert other.post("/login/second-factor", {"otp": code(person)}).status_code in {302, 401}
    assert other.get("/usage").status_code == 302
