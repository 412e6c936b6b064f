"""The list of a person's sign-ins, and the end of one of them or of all others."""

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from config.needs import Role
from tenants.identity import tokens
from tenants.identity.devices import device_of
from tenants.identity.people import add_member
from tenants.identity.sign_ins import forget_old
from tenants.models import SignIn
from tests.tenants.identity.people import PASSWORD, browser, join, program, sign_in, told

pytestmark = pytest.mark.django_db
FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:128.0) Gecko/20100101 Firefox/128.0"


def entered(tenant: Any, email: str, **headers: str) -> Any:
    web = browser(tenant, **headers)
    assert web.post("/login", {"email": email, "password": PASSWORD}).status_code == 302
    return web


def listed(asked: Any) -> list[dict[str, Any]]:
    return asked.get("/api/v1/me/sessions").json()["results"]


def test_a_person_sees_their_own_sign_ins_here_and_ends_them(acme, globex, owner):
    email = owner.person.email
    web = entered(acme, email, User_Agent=FIREFOX)
    lost = entered(acme, email)
    pair = sign_in(acme, email).json()
    other = sign_in(acme, email).json()
    bob = join(acme, email="bob@example.test")
    bobs = sign_in(acme, bob.person.email).json()
    add_member(tenant=globex, person=owner.person, role=Role.MEMBER)
    entered(globex, email)
    asked = program(acme, f"Bearer {pair['access']}")

    rows = listed(asked)

    assert [row["kind"] for row in rows] == ["token", "token", "session", "session"]
    assert [row["current"] for row in rows] == [False, True, False, False]
    assert (rows[3]["device"], rows[3]["user_agent"]) == ("Firefox, Linux", FIREFOX)
    assert {row["address"] for row in rows} == {"127.0.0.1"}
    assert set(rows[0]) == {
        *("id", "kind", "device", "user_agent", "address", "first_seen_at", "last_seen_at"),
        *("has_second_factor", "current"),
    }
    # Another's is not there to be ended; one of their own is, for the very next request.
    (theirs,) = listed(program(acme, f"Bearer {bobs['access']}"))
    assert told(asked.delete(f"/api/v1/me/sessions/{theirs['id']}")) == (404, "not_found")
    assert asked.delete(f"/api/v1/me/sessions/{rows[2]['id']}").status_code == 204
    assert [lost.get("/").status_code, web.get("/").status_code] == [302, 200]
    assert asked.delete("/api/v1/me/sessions").status_code == 204
    assert [row["current"] for row in listed(asked)] == [True]
    assert web.get("/").status_code == 302
    ended = program(acme, f"Bearer {other['access']}").get("/api/v1/me")
    assert told(ended) == (401, "token_invalid")
    assert len(listed(program(acme, f"Bearer {bobs['access']}"))) == 1
    assert SignIn.objects.filter(member__tenant=globex, ended_at=None).count() == 1
    assert asked.delete(f"/api/v1/me/sessions/{rows[1]['id']}").status_code == 204
    assert told(asked.get("/api/v1/me")) == (401, "token_invalid")


def test_what_was_signed_out_or_has_run_out_is_not_listed(acme, owner, django_assert_num_queries):
    now = timezone.now()
    web = entered(acme, owner.person.email)
    web.post("/logout")
    gone = tokens.issue(member=owner, now=now)
    tokens.revoke(refresh=gone.refresh, tenant=acme, now=now)
    old = SignIn.objects.create(
        member=owner, kind="session", created_at=now - timedelta(days=20), last_seen_at=now
    )
    pair = tokens.issue(member=owner, now=now)
    asked = program(acme, f"Bearer {pair.access}")

    assert [row["current"] for row in listed(asked)] == [True]
    SignIn.objects.filter(pk=old.pk).update(last_seen_at=now - timedelta(days=99))
    assert forget_old(now=now) == 1
    refreshed = now + timedelta(minutes=9)
    tokens.rotate(refresh=pair.refresh, tenant=acme, now=refreshed)
    (row,) = listed(asked)
    assert row["last_seen_at"] == refreshed.isoformat().replace("+00:00", "Z")
    with django_assert_num_queries(1):
        listed(asked)
    for _ in range(3):
        tokens.issue(member=owner, now=now)
    listed(asked)
    with django_assert_num_queries(1):
        assert len(listed(asked)) == 4


def test_a_session_is_noted_as_seen_every_five_minutes(acme, owner):
    web = entered(acme, owner.person.email)
    then = timezone.now() - timedelta(minutes=6)
    SignIn.objects.update(last_seen_at=then)
    web.get("/")
    seen = SignIn.objects.get().last_seen_at
    web.get("/")
    assert seen > then
    assert SignIn.objects.get().last_seen_at == seen


def test_a_device_is_told_in_words_that_people_know():
    agents = {
        FIREFOX: "Firefox, Linux",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) Safari/604.1": "Safari, iPhone",
        "Mozilla/5.0 (Windows NT 10.0) Chrome/130.0 Safari/537.36 Edg/130.0": "Edge, Windows",
        "curl/8.5.0": "curl",
        "Acme-Sync/3 (+https://acme.test)": "Acme-Sync",
        "": "",
    }
    assert {agent: device_of(agent) for agent in agents} == agents
