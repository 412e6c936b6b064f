"""Forged and damaged access tokens. Each maker takes a good token's claims and returns a bad token."""

import base64
import hashlib
import json
from collections.abc import Callable
from hmac import new as digest_of
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey, RSAKey

from tenants.identity.signing import signing_key

Claims = dict[str, Any]
THIEF = ECKey.generate_key("P-256")
THIEF_384 = ECKey.generate_key("P-384")
THIEF_RSA = RSAKey.generate_key(2048)


def header(**changes: Any) -> dict[str, Any]:
    made = {"alg": "ES256", "typ": "at+jwt", "kid": signing_key().thumbprint(), **changes}
    return {name: value for name, value in made.items() if value is not None}


def part(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def ours(claims: Claims, **head: Any) -> str:
    """Truly signed by us, with other claims or another header."""
    return jwt.encode(header(**head), claims, signing_key(), algorithms=["ES256"])


def without_signature(claims: Claims, algorithm: str) -> str:
    return f"{part(header(alg=algorithm))}.{part(claims)}."


def hmac(claims: Claims, secret: bytes, **head: Any) -> str:
    """HS256 by hand: the library itself refuses to sign with a public key's text."""
    signed = f"{part(header(**{'alg': 'HS256', **head}))}.{part(claims)}"
    mac = digest_of(secret, signed.encode(), hashlib.sha256).digest()
    return f"{signed}.{base64.urlsafe_b64encode(mac).rstrip(b'=').decode()}"


def by(key: Any, claims: Claims, algorithm: str = "ES256", **head: Any) -> str:
    return jwt.encode(header(alg=algorithm, **head), claims, key, algorithms=[algorithm])


def lacking(claims: Claims, name: str) -> Claims:
    return {key: value for key, value in claims.items() if key != name}


def grafted(claims: Claims) -> str:
    """The head and signature of one good token around the claims of another."""
    head, _, signature = ours(claims).split(".")
    return f"{head}.{part({**claims, 'sub': claims['member']})}.{signature}"


def resigned_by_nothing(claims: Claims) -> str:
    """r = s = 0: Java's "psychic signature", CVE-2022-21449."""
    head, payload, _ = ours(claims).split(".")
    return f"{head}.{payload}.{base64.urlsafe_b64encode(bytes(64)).rstrip(b'=').decode()}"


def public_pem() -> bytes:
    return signing_key().as_pem(private=False)


def public_jwk() -> bytes:
    return json.dumps(signing_key().as_dict(private=False)).encode()


FORGERIES: dict[str, Callable[[Claims], str]] = {
    "alg none": lambda c: without_signature(c, "none"),
    "alg None": lambda c: without_signature(c, "None"),
    "alg empty": lambda c: without_signature(c, ""),
    "alg ES256 and no signature": lambda c: without_signature(c, "ES256"),
    "HS256 with the public key's PEM": lambda c: hmac(c, public_pem()),
    "HS256 with the public key's JWK": lambda c: hmac(c, public_jwk()),
    "HS256 with the key's id": lambda c: hmac(c, signing_key().thumbprint().encode()),
    "a thief's key under our kid": lambda c: by(THIEF, c),
    "a thief's key under its own kid": lambda c: by(THIEF, c, kid=THIEF.thumbprint()),
    "a thief's key brought along": lambda c: by(THIEF, c, jwk=THIEF.as_dict(private=False)),
    "a thief's key set by address": lambda c: by(THIEF, c, jku="http://127.0.0.1:9/jwks"),
    "a thief's certificate by address": lambda c: by(THIEF, c, x5u="http://127.0.0.1:9/x"),
    "ES384": lambda c: by(THIEF_384, c, "ES384"),
    "RS256": lambda c: by(THIEF_RSA, c, "RS256"),
    "PS256": lambda c: by(THIEF_RSA, c, "PS256"),
    "our key under no kid": lambda c: ours(c, kid=None),
    "our key under another kid": lambda c: ours(c, kid="../../dev/null"),
    "a kid that is a list": lambda c: f"{part(header(kid=['a']))}.{part(c)}.AAAA",
    "another kind of JWT": lambda c: ours(c, typ="JWT"),
    "a critical extension": lambda c: f"{part(header(crit=['exp']))}.{part(c)}.AAAA",
    "no audience": lambda c: ours(lacking(c, "aud")),
    "an empty audience": lambda c: ours({**c, "aud": ""}),
    "several audiences": lambda c: ours({**c, "aud": [c["aud"], "globex"]}),
    "another issuer": lambda c: ours({**c, "iss": "http://evil.test"}),
    "no issuer": lambda c: ours(lacking(c, "iss")),
    "no expiry": lambda c: ours(lacking(c, "exp")),
    "an expiry that is a word": lambda c: ours({**c, "exp": "never"}),
    "no subject": lambda c: ours(lacking(c, "sub")),
    "another subject": lambda c: ours({**c, "sub": c["member"]}),
    "no member": lambda c: ours(lacking(c, "member")),
    "a member that is a number": lambda c: ours({**c, "member": 1}),
    "a member that is SQL": lambda c: ours({**c, "member": "' OR 1=1 --"}),
    "no family": lambda c: ours(lacking(c, "sid")),
    "not yet valid": lambda c: ours({**c, "nbf": c["exp"]}),
    "claims that are a list": lambda c: f"{part(header())}.{part([c])}.AAAA",
    "other claims under a good signature": grafted,
    "a signature of zeros": resigned_by_nothing,
    "a shortened signature": lambda c: ours(c)[:-6],
    "a lengthened signature": lambda c: ours(c) + "AAAA",
    "four parts": lambda c: ours(c) + ".AAAA",
    "five parts, as if encrypted": lambda _: "eyJhbGciOiJkaXIifQ.." + ".".join(["AAAA"] * 3),
    "a bare word": lambda _: "token",
    "nothing": lambda _: "",
    "only dots": lambda _: "..",
    "letters from elsewhere": lambda _: "tökén.ä.ö",
    "a token of 100 kB": lambda c: ours({**c, "x": "y" * 100_000}),
}
