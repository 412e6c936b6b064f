"""Single sign-on by a tenant's own provider, over real HTTP between Plaza and a provider that runs."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from oidc_provider_mock import User, run_server_in_thread

from billing.services.grants import entitle
from config.needs import Role
from tenants.models import Member, Person, SsoConnection, SsoDomain, SsoIdentity
from tests.tenants.identity.journeys import local
from tests.tenants.identity.people import PASSWORD, browser, join, sign_in, told
from tests.tenants.identity.provider import LyingProvider, running

URL = "/api/v1/sso"


@pytest.fixture(scope="module")
def issuer() -> Iterator[str]:
    def user(sub: str, email: str, **more: Any) -> User:
        return User(sub=sub, claims={"email": email, "email_verified": True, **more})

    people = [
        user("ana", "ana@acme.example", name="Ana", groups=["crew", "editors"]),
        user("ada", "ada@acme.example"),
        user("eve", "eve@elsewhere.example"),
        User(sub="raw", claims={"email": "raw@acme.example", "email_verified": False}),
    ]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def acme(acme: Any, settings: Any, now: Any) -> Any:
    """On a plan with single sign-on, with a proved domain; tenants may name providers of this machine."""
    settings.PLAZA_WEBHOOKS_TO_LOOPBACK = True
    entitle(tenant_id=acme.id, plan="scale", now=now)
    SsoDomain.objects.create(
        tenant=acme, domain="acme.example", proof="p", created_at=now, verified_at=now
    )
    return acme


def wish(issuer: str, **more: Any) -> dict[str, Any]:
    return {"issuer": issuer, "client_id": "plaza", "client_secret": "shhh", **more}


def sign_on(tenant: Any, subject: str, *, person: Any = None) -> tuple[Any, Any]:
    """One browser to the provider and back; the browser, and the answer to its return."""
    person = person or browser(tenant)
    away = person.get("/login/sso", {"next": "/usage"})
    assert away.status_code == 302, away.content
    back = httpx.post(away["Location"], data={"sub": subject}, timeout=10)
    return person, person.get(local(back.headers["Location"]))


def test_somebody_new_joins_by_the_provider_in_a_seat_with_the_role_of_their_group(
    acme, api, issuer
):
    admin = api(acme, "admin")
    told_of = admin.put(
        URL, wish(issuer, role_claim="groups", role_map={"editors": "editor"}), status=201
    )
    assert told_of["redirect_uri"].endswith("/login/sso/callback")
    assert "shhh" not in str(told_of)
    before = admin.get("/api/v1/seats")["taken"]

    person, answer = sign_on(acme, "ana")

    assert (answer.status_code, answer["Location"]) == (302, "/usage")
    member = Member.objects.select_related("person").get(person__email="ana@acme.example")
    assert (member.tenant_id, member.role, member.person.name) == (acme.pk, "editor", "Ana")
    assert not member.person.has_usable_password()
    assert person.get("/usage").status_code == 200
    assert api(acme, "admin").get("/api/v1/seats")["taken"] == before + 1

    again, answer = sign_on(acme, "ana")
    assert answer["Location"] == "/usage"
    assert Member.objects.filter(person=member.person).count() == 1
    assert api(acme, "admin").get("/api/v1/seats")["taken"] == before + 1
    member.delete()
    assert again.get("/usage").status_code == 302, "who is removed is out at once"


def test_an_account_of_that_address_is_linked_by_its_password_alone(acme, api, issuer):
    ada = join(acme, email="ada@acme.example", role=Role.MEMBER)
    api(acme, "admin").put(URL, wish(issuer), status=201)

    person, asked = sign_on(acme, "ada")
    assert asked.status_code == 200
    assert b"ada@acme.example" in asked.content
    assert SsoIdentity.objects.count() == 0
    assert person.post("/login/sso/link", {"password": "wrong"}).status_code == 401
    linked = person.post("/login/sso/link", {"password": PASSWORD})
    assert (linked.status_code, linked["Location"]) == (302, "/usage")
    known = SsoIdentity.objects.get()
    assert (known.tenant_id, known.member_id, known.subject) == (acme.pk, ada.pk, "ada")
    assert sign_on(acme, "ada")[1]["Location"] == "/usage"


@pytest.mark.parametrize(
    ("subject", "code"), [("eve", "sso_address_not_proved"), ("raw", "openid_email_unverified")]
)
def test_an_address_that_nobody_proved_opens_nothing(acme, api, issuer, subject, code):
    api(acme, "admin").put(URL, wish(issuer), status=201)

    _person, answer = sign_on(acme, subject)

    assert answer.status_code == 403
    assert Person.objects.filter(email__startswith=f"{subject}@").count() == 0
    assert code in answer.content.decode()


def test_another_tenant_s_provider_knows_nobody_here(acme, globex, api, issuer, now):
    """The same issuer and subject at two tenants are two strangers, and a session is of one host."""
    entitle(tenant_id=globex.id, plan="scale", now=now)
    for tenant in (acme, globex):
        api(tenant, "admin").put(URL, wish(issuer), status=201)
    person, _answer = sign_on(acme, "ana")

    _other, answer = sign_on(globex, "ana")
    assert answer.status_code == 403, "globex has proved no domain"
    cookies = person.cookies
    stranger = browser(globex)
    stranger.cookies = cookies
    assert stranger.get("/usage").status_code == 302
    member = Member.objects.get(person__email="ana@acme.example")
    assert member.tenant_id == acme.pk


def test_enforced_it_lets_only_owners_in_by_password_and_only_after_it_was_tried(acme, api, issuer):
    owner = join(acme, email="boss@acme.example", role=Role.OWNER)
    ada = join(acme, email="ada@acme.example", role=Role.ADMIN)
    admin = api(acme, "admin")
    assert admin.put(URL, wish(issuer, is_enforced=True), status=409)["code"] == "sso_not_tried"
    admin.put(URL, wish(issuer), status=201)
    sign_on(acme, "ana")
    settings = {"issuer": issuer, "client_id": "plaza", "is_enforced": True}
    assert admin.put(URL, settings)["is_enforced"] is True

    assert told(sign_in(acme, ada.person.email)) == (403, "sso_required")
    assert told(sign_in(acme, ada.person.email, "wrong")) == (401, "invalid_credentials")
    assert sign_in(acme, owner.person.email).status_code == 200
    page = browser(acme).post("/login", {"email": ada.person.email, "password": PASSWORD})
    assert (page.status_code, b"/login/sso" in page.content) == (403, True)
    admin.post(f"{URL}/remove", status=204)
    assert sign_in(acme, ada.person.email).status_code == 200


def test_a_full_plan_lets_nobody_new_in(acme, api, issuer, now):
    api(acme, "admin").put(URL, wish(issuer), status=201)
    entitle(tenant_id=acme.id, plan="free", now=now)

    admin = api(acme, "admin")
    for number in range(admin.get("/api/v1/seats")["left"]):
        admin.post("/api/v1/seats", {"email": f"guest{number}@acme.example", "role": "member"})

    assert sign_on(acme, "ana")[1].status_code == 402
    assert not Person.objects.filter(email="ana@acme.example").exists()


@pytest.mark.parametrize(
    "address", ["http://169.254.169.254/", "http://10.0.0.1", "ftp://a.b", "x"]
)
def test_an_issuer_on_a_private_address_is_never_asked(acme, api, settings, address):
    answer = api(acme, "admin").put(URL, wish(address), status=400)

    assert set(answer["errors"]) == {"issuer"}
    assert not SsoConnection.objects.exists()


@pytest.fixture
def liar(acme: Any, api: Any) -> Iterator[LyingProvider]:
    with running() as provider:
        api(acme, "admin").put(URL, wish(provider.address), status=201)
        yield provider


def _come_back(liar: LyingProvider, tenant: Any, **more: str) -> Any:
    person = browser(tenant)
    asked = parse_qs(urlsplit(person.get("/login/sso")["Location"]).query)
    liar.nonce = asked["nonce"][0]
    told_back = {"code": "c", "state": asked["state"][0]} | more
    return person.get("/login/sso/callback", told_back)


def _lie(**claims: Any) -> Any:
    return lambda liar: (
        lambda honest: liar.signed(
            {
                "email": "ana@acme.example",
                **{k: v for k, v in honest.items() if k != "email"},
                **claims,
            }
        )
    )


@pytest.mark.parametrize(
    ("lie", "status"),
    [
        (_lie(), 302),
        (_lie(aud="another"), 401),
        (_lie(iss="https://elsewhere.example"), 401),
        (_lie(nonce="another"), 401),
        (_lie(exp=1), 401),
        (_lie(email_verified="true"), 403),
        (_lie(sub=""), 401),
    ],
)
def test_an_id_token_counts_only_with_our_audience_issuer_nonce_and_time(acme, liar, lie, status):
    liar.lie = lie(liar)

    assert _come_back(liar, acme).status_code == status
    assert Person.objects.filter(email="ana@acme.example").exists() is (status == 302)


def test_a_mix_up_a_replay_and_another_browser_are_refused(acme, liar):
    liar.lie = _lie()(liar)
    assert _come_back(liar, acme, iss="https://elsewhere.example").status_code == 401
    assert _come_back(liar, acme, state="another").status_code == 401
    person = browser(acme)
    asked = parse_qs(urlsplit(person.get("/login/sso")["Location"]).query)
    liar.nonce = asked["nonce"][0]
    back = {"code": "c", "state": asked["state"][0]}
    assert browser(acme).get("/login/sso/callback", back).status_code == 401
    assert person.get("/login/sso/callback", back).status_code == 302
    assert person.get("/login/sso/callback", back).status_code == 401
