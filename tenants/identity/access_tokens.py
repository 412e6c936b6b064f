"""Access tokens: ES256, minutes long, bound to one tenant. What they say is signed, and checked here alone."""

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from django.conf import settings
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, GuestProtocol
from joserfc.jwt import JWTClaimsRegistry

from config.ids import new_id
from tenants.identity.refusals import TokenExpired, TokenInvalid
from tenants.identity.signing import ALGORITHM, accepted_key, signing_key
from tenants.models import Member

_TYPE = "at+jwt"  # RFC 9068: no other kind of JWT passes for an access token
_LONGEST = 4_096
# RFC 8176: by what somebody proved who they are.
_FACTORS = ["pwd", "otp", "mfa"]


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a checked access token says."""

    person_id: UUID
    member_id: UUID
    family: UUID
    expires_at: datetime
    has_second_factor: bool = False


def issuer() -> str:
    return f"{settings.PLAZA_SCHEME}://{settings.PLAZA_DOMAIN}"


def sign_access(*, member: Member, family: UUID, has_second_factor: bool, now: datetime) -> str:
    """A token of ACCESS_TOKEN_SECONDS for `member`, of this family of refresh tokens."""
    claims: dict[str, Any] = {
        "iss": issuer(),
        "aud": str(member.tenant_id),
        "sub": str(member.person_id),
        "member": str(member.pk),
        "sid": str(family),
        "jti": str(new_id()),
        "iat": int(now.timestamp()),
        "exp": int(now.timestamp()) + settings.ACCESS_TOKEN_SECONDS,
    }
    if has_second_factor:
        claims["amr"] = _FACTORS
    return _signed(claims)


def read_access(token: str, tenant_id: UUID, now: datetime) -> AccessClaims:
    """The claims of a token that we signed for this tenant. Raises TokenInvalid, TokenExpired."""
    registry = JWTClaimsRegistry(
        now=int(now.timestamp()),
        iss={"essential": True, "value": issuer()},
        aud={"essential": True, "value": str(tenant_id)},
        sub={"essential": True},
        exp={"essential": True},
    )
    try:
        claims = _ours(token)
        registry.validate(claims)
        return _claims(claims)
    except ExpiredTokenError as error:
        raise TokenExpired() from error
    except (JoseError, ValueError) as error:
        raise TokenInvalid() from error


def audience_of(token: str) -> UUID:
    """The tenant for which we signed this token, be it expired or signed out. Raises TokenInvalid."""
    try:
        claims = _ours(token)
        if claims.get("iss") != issuer():
            raise TokenInvalid()
        return UUID(claims["aud"])
    except (JoseError, ValueError) as error:
        raise TokenInvalid() from error


def _ours(token: str) -> dict[str, Any]:
    """The claims of an access token with our signature; nothing else of them is looked at yet."""
    if len(token) > _LONGEST or not token.isascii():
        raise TokenInvalid()
    read = jwt.decode(token, _key_for, algorithms=[ALGORITHM])
    if read.header.get("typ") != _TYPE or not isinstance(read.claims.get("aud"), str):
        raise TokenInvalid()
    return read.claims


def _signed(claims: dict[str, Any]) -> str:
    key = signing_key()
    header = {"alg": ALGORITHM, "typ": _TYPE, "kid": key.thumbprint()}
    return jwt.encode(header, claims, key, algorithms=[ALGORITHM])


def _key_for(signed: GuestProtocol) -> ECKey:
    """The key of ours that the token names: it chooses neither another key nor an algorithm."""
    key = accepted_key(signed.headers().get("kid"))
    if key is None:
        raise InvalidKeyIdError("Not a key of ours")
    return key


def _claims(claims: dict[str, Any]) -> AccessClaims:
    try:
        return AccessClaims(
            person_id=UUID(claims["sub"]),
            member_id=UUID(claims["member"]),
            family=UUID(claims["sid"]),
            expires_at=datetime.fromtimestamp(claims["exp"], UTC),
            has_second_factor="mfa" in claims.get("amr", ()),
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise TokenInvalid() from error
