"""A provider's answer is believed only where it proves itself: signature, issuer, audience, nonce, time."""

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from joserfc import jwt
from joserfc.jwk import RSAKey

from tenants.models import PersonIdentity
from tests.tenants.identity.forgeries import hmac, lacking, part
from tests.tenants.identity.people import browser, join
from tests.tenants.identity.provider import KEY, LyingProvider, running

SECRET = "our-client-secret-0123456789-0123456789"
THIEF = RSAKey.generate_key(2048)
Claims = dict[str, Any]


@pytest.fixture(scope="module")
def server() -> Iterator[LyingProvider]:
    with running() as provider:
        yield provider


@pytest.fixture
def provider(db, settings, server) -> LyingProvider:
    server.discovery, server.lie = {}, server.signed
    settings.OPENID_ISSUER = server.address
    settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = "plaza", SECRET
    return server


def come_back(provider: LyingProvider, tenant: Any) -> Any:
    square = browser()
    proof = parse_qs(urlsplit(browser(tenant).get("/login/openid")["Location"]).query)["proof"][0]
    away = square.get("/login/openid", {"tenant": tenant.slug, "proof": proof})
    if away.status_code != 302:
        return away
    asked = parse_qs(urlsplit(away["Location"]).query)
    provider.nonce = asked["nonce"][0]
    return square.get("/login/openid/callback", {"code": "c", "state": asked["state"][0]})


def signed(claims: Claims, **head: Any) -> str:
    return jwt.encode({"alg": "RS256", "kid": "theirs", **head}, claims, KEY, algorithms=["RS256"])


LIES: dict[str, Callable[[Claims], Any]] = {
    "no id_token": lambda _: None,
    "an id_token that is a word": lambda _: "token",
    "an id_token that is a number": lambda _: 7,
    "no signature": lambda c: f"{part({'alg': 'none'})}.{part(c)}.",
    "our secret as the key": lambda c: hmac(c, SECRET.encode(), typ=None, kid=None),
    "their public key as a secret": lambda c: hmac(
        c, KEY.as_pem(private=False), typ=None, kid=None
    ),
    "a thief's key": lambda c: jwt.encode(
        {"alg": "RS256", "kid": "theirs"}, c, THIEF, algorithms=["RS256"]
    ),
    "an unknown kid": lambda c: signed(c, kid="other"),
    "another issuer": lambda c: signed({**c, "iss": "https://accounts.evil.test"}),
    "no issuer": lambda c: signed(lacking(c, "iss")),
    "another audience": lambda c: signed({**c, "aud": "another-client"}),
    "another audience in our name": lambda c: signed(
        {**c, "aud": "another-client", "azp": "plaza"}
    ),
    "no audience": lambda c: signed(lacking(c, "aud")),
    "two audiences and no party": lambda c: signed({**c, "aud": ["plaza", "another-client"]}),
    "another party": lambda c: signed({**c, "azp": "another-client"}),
    "another nonce": lambda c: signed({**c, "nonce": "replayed"}),
    "no nonce": lambda c: signed(lacking(c, "nonce")),
    "no nonce, and says that it knows none": lambda c: signed(
        {**lacking(c, "nonce"), "nonce_supported": False}
    ),
    "no subject": lambda c: signed(lacking(c, "sub")),
    "an empty subject": lambda c: signed({**c, "sub": ""}),
    "an endless subject": lambda c: signed({**c, "sub": "x" * 256}),
    "a subject that is a number": lambda c: signed({**c, "sub": 7}),
    "long expired": lambda c: signed({**c, "iat": 1, "exp": 2}),
    "no expiry": lambda c: signed(lacking(c, "exp")),
    "issued tomorrow": lambda c: signed({**c, "iat": c["iat"] + 86_400, "nbf": c["iat"] + 86_400}),
    "another access token": lambda c: signed({**c, "at_hash": "AAAAAAAAAAAAAAAAAAAAAA"}),
}


def test_an_honest_answer_is_believed(acme, provider):
    join(acme)

    assert come_back(provider, acme).status_code == 200


@pytest.mark.parametrize("kind", LIES)
def test_a_lie_is_refused(acme, provider, kind):
    join(acme)
    provider.lie = LIES[kind]

    assert come_back(provider, acme).status_code == 401
    assert PersonIdentity.objects.count() == 0


@pytest.mark.parametrize(
    "discovery",
    [
        {"issuer": "https://accounts.evil.test"},
        {"issuer": None},
        {"id_token_signing_alg_values_supported": ["none"]},
        {"id_token_signing_alg_values_supported": ["HS256"]},
        {"id_token_signing_alg_values_supported": []},
    ],
)
def test_a_discovery_that_is_not_the_issuers_or_signs_nothing_is_refused(acme, provider, discovery):
    provider.discovery = discovery

    assert come_back(provider, acme).status_code == 401
