"""`api.<PLAZA_DOMAIN>`: the tenant comes from the key, the token or X-Tenant; and hosts that lie."""

from datetime import UTC, datetime, timedelta

import pytest
from django.test import Client

from tenants import services
from tenants.hosts import rename
from tenants.identity.tokens import issue
from tenants.isolation import tenant_context
from tenants.models import ApiKey, Tenant
from tests import factories
from tests.client import PASSWORD, Api, member_of

pytestmark = pytest.mark.django_db
API = "api.plaza.localhost"
UNSHAPED = ("Bearer x.y.z", "Api-Key nonsense", "Basic YTpi", "", "Bearer", "Api-Key")
STRANGER = f"Api-Key plz_{'a' * 8}_{'b' * 43}"


def ask(path="/api/v1/me", method="get", **headers: str):
    """Ask the API's host; `X_Tenant` is X-Tenant."""
    spelled = {name.replace("_", "-"): value for name, value in headers.items()}
    return getattr(Client(), method)(path, headers={"Host": API, **spelled})


def told(answer) -> tuple[int, str]:
    body = answer.json()
    return answer.status_code, body.get("code") or body["tenant"]["slug"]


@pytest.fixture
def token(api):
    return lambda tenant: api(tenant).authorization


@pytest.fixture
def key(api):
    """`key(tenant)`: a key of the tenant, as a header."""

    def made(tenant, *scopes: str) -> str:
        wish = {"name": "k", "scopes": scopes or ["read"]}
        return "Api-Key " + api(tenant).post("/api/v1/api-keys", wish)["key"]

    return made


def test_a_token_or_a_key_names_its_tenant(acme, globex, token, key):
    found = [told(ask(Authorization=made(t))) for made in (token, key) for t in (acme, globex)]

    assert found == [(200, "acme"), (200, "globex")] * 2


def test_a_tenant_named_beside_its_own_credentials_agrees(acme, token, key):
    for made in (token, key):
        for name in ("acme", str(acme.id), " acme "):
            assert told(ask(Authorization=made(acme), X_Tenant=name)) == (200, "acme")


def test_another_tenant_named_beside_credentials_is_403_whether_it_exists_or_not(
    acme, globex, token, key
):
    others = ["globex", str(globex.id), "nobody", "01900000-0000-7000-8000-00000000ffff", "x" * 999]
    for made in (token(acme), key(acme)):
        answers = {told(ask(Authorization=made, X_Tenant=name)) for name in others}
        assert answers == {(403, "tenant_mismatch")}


def test_the_other_tenant_s_rows_are_not_shown_and_not_changed(acme, globex, key, token):
    with tenant_context(globex):
        contact = factories.ContactFactory(first_name="canary-of-globex")
    path = f"/api/v1/contacts/{contact.pk}"

    for made in (token(acme), key(acme, "read", "write", "delete")):
        for method in ("get", "patch", "delete"):
            with_name = ask(path, method, Authorization=made, X_Tenant="globex")
            without = ask(path, method, Authorization=made)
            assert (with_name.status_code, without.status_code) == (403, 404)
            assert b"canary" not in with_name.content + without.content
    with tenant_context(globex):
        contact.refresh_from_db()
    assert contact.first_name == "canary-of-globex"


def test_without_credentials_x_tenant_names_the_tenant_and_opens_nothing(acme):
    for name in ("acme", str(acme.id)):
        assert told(ask(X_Tenant=name)) == (401, "credentials_missing")


@pytest.mark.parametrize(
    "name",
    ["", "nobody", "ACME", "a,b", "acme.plaza.localhost", "../acme", "'; --", "%00", "x" * 5000,
     "01900000-0000-7000-8000-00000000ffff", "{01900000-0000-7000-8000-00000000acde}",
     "0190000000007000800000000000acde", "public", "t_0190000000007000800000000000acde"],
)  # fmt: skip
def test_no_tenant_or_one_that_there_is_not_is_404(acme, name):
    assert told(ask(X_Tenant=name)) == (404, "tenant_not_named")


def test_neither_credentials_nor_x_tenant_is_404(acme):
    assert told(ask()) == (404, "tenant_not_named")
    assert told(ask("/api/v1/nowhere")) == (404, "tenant_not_named")


def test_credentials_that_prove_nothing_are_answered_as_at_a_subdomain(acme, key):
    """With or without X-Tenant, and whether a key's prefix exists or not: it is no oracle."""
    real = key(acme)
    forged = real[:-1] + ("A" if real[-1] != "A" else "B")
    revoked = key(acme)
    ApiKey.objects.filter(prefix=revoked.split("_")[1]).update(revoked_at=datetime.now(UTC))
    subdomain = Client(headers={"Host": "acme.plaza.localhost"})

    def answers(authorization: str) -> list[tuple[int, str, str]]:
        headers = {"Authorization": authorization}
        return [
            (answer.status_code, answer.json()["code"], answer.get("WWW-Authenticate", ""))
            for answer in (
                subdomain.get("/api/v1/me", headers=headers),
                ask(**headers),
                ask(**headers, X_Tenant="acme"),
            )
        ]

    for wrong in (*UNSHAPED, STRANGER, forged, revoked):
        assert len(set(answers(wrong))) == 1, wrong
    assert {answers(wrong)[0][:2] for wrong in UNSHAPED} == {(401, "token_invalid")}
    assert answers(STRANGER) == answers(forged) == answers(revoked)
    assert answers(forged)[0][:2] == (403, "api_key_invalid")


def test_an_expired_token_says_so(acme):
    long_ago = datetime.now(UTC) - timedelta(days=1)
    expired = f"Bearer {issue(member=member_of(acme), now=long_ago).access}"

    assert told(ask(Authorization=expired)) == (401, "token_expired")


def test_a_person_signs_in_with_x_tenant_and_goes_on_with_the_token(acme, globex):
    member = member_of(acme)
    member.person.set_password(PASSWORD)
    member.person.save()
    body = {"email": member.person.email, "password": PASSWORD}

    def sign_in(tenant: str):
        return Client().post(
            "/api/v1/auth/token",
            body,
            content_type="application/json",
            headers={"Host": API, "X-Tenant": tenant},
        )

    assert sign_in("globex").json()["code"] == "invalid_credentials"
    access = sign_in("acme").json()["access"]
    assert told(ask(Authorization=f"Bearer {access}")) == (200, "acme")


def test_the_state_of_the_tenant_counts_as_at_its_subdomain(acme, token):
    given = {"Authorization": token(acme)}
    services.suspend(tenant_id=acme.id, reason="unpaid")
    assert told(ask("/api/v1/contacts", **given)) == (403, "tenant_suspended")

    for named in (given, {"X_Tenant": "acme"}):
        for status, answer in (
            ("provisioning", (503, "tenant_not_ready")),
            ("closed", (404, "tenant_not_named")),
        ):
            Tenant.objects.filter(pk=acme.pk).update(status=status)
            assert told(ask(**named)) == answer


def test_a_former_name_in_x_tenant_says_where_the_tenant_is(acme, globex, token, now):
    given = token(acme)
    rename(tenant_id=acme.id, slug="acme-west", now=now)

    for headers in ({"X_Tenant": "acme"}, {"X_Tenant": "acme", "Authorization": given}):
        answer = ask(**headers)
        assert told(answer) == (410, "tenant_moved")
        assert (answer.json()["slug"], answer.json()["url"]) == (
            "acme-west",
            "http://acme-west.plaza.localhost:8000",
        )
    assert told(ask(Authorization=given, X_Tenant="acme-west")) == (200, "acme-west")
    assert told(ask(Authorization=token(globex), X_Tenant="acme")) == (403, "tenant_mismatch")


@pytest.mark.parametrize(
    "path", ["/", "/login", "/contacts", "/plan", "/signup", "/console/", "/errors/x",
             "/webhooks/stripe", "/api/", "/api/v2/contacts", "/api/v1", "/reference", "/docs/"]
)  # fmt: skip
def test_there_are_no_pages(acme, token, path):
    for accept in ("text/html", "application/json"):
        answer = ask(path, Accept=accept, Authorization=token(acme), X_Tenant="acme")
        assert told(answer) == (404, "not_found")
        assert answer["Content-Type"] == "application/problem+json"


def test_the_description_is_there_for_everybody_and_is_the_tenants(acme, api):
    described, docs = ask("/openapi.json"), ask("/docs")

    assert described.json()["paths"] == api(acme).get("/openapi.json")["paths"]
    assert (docs.status_code, b"swagger" in docs.content) == (200, True)


def test_cookies_are_neither_read_nor_set(acme, token):
    browser = Client(headers={"Host": "acme.plaza.localhost"})
    browser.get("/login")
    carried = "; ".join(f"{name}={morsel.value}" for name, morsel in browser.cookies.items())
    for headers in ({"X_Tenant": "acme"}, {"Authorization": token(acme)}):
        answer = ask(Cookie=carried, **headers)
        assert answer.cookies == {}
    assert told(ask(Cookie=carried, X_Tenant="acme")) == (401, "credentials_missing")
    assert ask("/docs").cookies == {}


def test_answers_are_told_apart_by_what_names_the_tenant(acme, token):
    varies = {name.strip() for name in ask(Authorization=token(acme))["Vary"].split(",")}

    assert {"Authorization", "X-Tenant"} <= varies


def test_lists_lead_on_at_the_host_that_was_asked(acme, token):
    with tenant_context(acme):
        factories.ContactFactory.create_batch(3)
    page = ask("/api/v1/contacts?limit=1", Authorization=token(acme)).json()

    assert page["next"].startswith(f"http://{API}/api/v1/contacts?")


def test_x_tenant_means_nothing_at_a_subdomain(acme, globex, api):
    client = Api(acme, {"Authorization": api(acme).authorization, "X-Tenant": "globex"})

    assert client.get("/api/v1/me")["tenant"]["slug"] == "acme"
