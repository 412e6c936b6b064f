"""Sign-in with an OpenID provider: the whole way, against a provider that runs."""

from urllib.parse import parse_qs, urlsplit

import pytest

from config.needs import Role
from tenants.identity.crossing import square_url
from tenants.models import PersonIdentity
from tenants.services import url_of
from tests.tenants.identity.journeys import SUBJECT, Journey, linked, local
from tests.tenants.identity.people import browser

pytestmark = pytest.mark.usefixtures("openid")


def test_the_whole_way_with_a_first_link_and_then_without(acme, owner, issuer):
    first = Journey(acme)
    asked = first.come_back()
    assert asked.status_code == 200
    assert b"ada@example.test" in asked.content

    arrived = first.arrive(first.link())

    assert (arrived.status_code, arrived["Location"]) == (302, "/private")
    assert first.stall.get("/private").json()["member"] == str(owner.pk)
    known = PersonIdentity.objects.get()
    assert (known.issuer, known.subject, known.person_id) == (issuer, SUBJECT, owner.person_id)

    second = Journey(acme)
    second.arrive(second.come_back())
    assert second.stall.get("/private").json()["member"] == str(owner.pk)


def test_the_provider_is_asked_with_pkce_state_and_nonce(acme):
    asked = parse_qs(urlsplit(Journey(acme).to_provider()).query)

    assert asked["code_challenge_method"] == ["S256"]
    assert len(asked["code_challenge"][0]) == 43
    assert len(asked["state"][0]) >= 20
    assert len(asked["nonce"][0]) >= 20
    assert asked["response_type"] == ["code"]
    assert asked["redirect_uri"] == [square_url("/login/openid/callback")]


def test_each_sign_in_has_its_own_state_nonce_and_challenge(acme):
    first, second = (parse_qs(urlsplit(Journey(acme).to_provider()).query) for _ in range(2))

    for name in ("state", "nonce", "code_challenge"):
        assert first[name] != second[name]


def test_a_square_asked_without_proof_sends_home_first(acme):
    answer = browser().get("/login/openid", {"tenant": "acme"})

    assert answer["Location"] == f"{url_of(acme)}/login/openid"


@pytest.mark.parametrize(
    "slug", ["nobody", "", "acme.evil.test/", "acme@evil.test", "a b", "\x00", "acme\x00"]
)
def test_an_unknown_tenant_is_404(acme, slug):
    answer = browser().get("/login/openid", {"tenant": slug, "proof": "0" * 64})

    assert answer.status_code == 404


def test_a_wrong_state_is_refused(acme, owner, issuer):
    linked(owner, issuer)
    journey = Journey(acme)
    back = parse_qs(urlsplit(journey.return_address()).query)

    for state in ("", "wrong", back["state"][0] + "x"):
        answer = journey.square.get(
            "/login/openid/callback", {"code": back["code"][0], "state": state}
        )
        assert answer.status_code == 401


def test_the_answer_to_another_browser_is_refused(acme, owner, issuer):
    linked(owner, issuer)
    attacker, victim = Journey(acme), Journey(acme)
    victim.to_provider()

    assert victim.square.get(attacker.return_address()).status_code == 401


def test_a_replayed_callback_is_refused(acme, owner, issuer):
    linked(owner, issuer)
    journey = Journey(acme)
    back = journey.return_address()
    assert journey.square.get(back).status_code == 302

    assert journey.square.get(back).status_code == 401


def test_a_code_of_another_sign_in_is_refused(acme, owner, issuer):
    linked(owner, issuer)
    mine, theirs = Journey(acme), Journey(acme)
    state = parse_qs(urlsplit(mine.return_address()).query)["state"][0]
    code = parse_qs(urlsplit(theirs.return_address()).query)["code"][0]

    answer = mine.square.get("/login/openid/callback", {"code": code, "state": state})

    assert answer.status_code == 401


def test_a_replayed_crossing_is_refused(acme, owner, issuer):
    linked(owner, issuer)
    journey = Journey(acme)
    across = local(journey.come_back()["Location"])
    assert journey.stall.get(across).status_code == 302

    assert journey.stall.get(across).status_code == 401


def test_a_crossing_to_acme_is_worthless_at_globex(acme, globex, owner, issuer):
    from tenants.identity.people import add_member

    add_member(tenant=globex, person=owner.person, role=Role.OWNER)
    linked(owner, issuer)
    journey = Journey(acme)
    across = local(journey.come_back()["Location"])
    at_globex = browser(globex)
    at_globex.cookies = journey.stall.cookies

    assert at_globex.get(across).status_code == 401
    assert at_globex.get("/private").status_code == 302


def test_a_no_at_the_provider_is_a_refusal_of_ours(acme):
    journey = Journey(acme)
    state = parse_qs(urlsplit(journey.to_provider()).query)["state"][0]

    answer = journey.square.get(
        "/login/openid/callback", {"error": "access_denied", "state": state}
    )

    assert answer.status_code == 401


def test_a_provider_that_is_away_is_503(acme, settings):
    settings.OPENID_ISSUER = "http://127.0.0.1:9"
    journey = Journey(acme)
    away = journey.stall.get("/login/openid")

    assert journey.square.get(local(away["Location"])).status_code == 503
