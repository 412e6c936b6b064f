"""Access tokens (ES256, minutes) and families of refresh tokens (random, kept as hashes, used once).

An access token says who, never what: the role is that of the member's row, as the tenant's version in
force has it, so that a removed member is refused at once.
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet
from joserfc import jwt
from joserfc.errors import ExpiredTokenError, InvalidKeyIdError, JoseError
from joserfc.jwk import ECKey, GuestProtocol
from joserfc.jwt import JWTClaimsRegistry

from config.ids import new_id
from config.logs import logger
from tenants.identity.hashing import digest, new_secret
from tenants.identity.refusals import TokenExpired, TokenInvalid
from tenants.identity.signing import ALGORITHM, accepted_key, signing_key
from tenants.models import Member, Person, RefreshToken, Tenant

log = logger(__name__)
_TYPE = "at+jwt"  # RFC 9068: no other kind of JWT passes for an access token
_LONGEST = 4_096


@dataclass(frozen=True, slots=True)
class TokenPair:
    """`expires_in` is the life of `access` in seconds."""

    access: str
    refresh: str
    expires_in: int


@dataclass(frozen=True, slots=True)
class AccessClaims:
    """What a checked access token says."""

    person_id: UUID
    member_id: UUID
    family: UUID
    expires_at: datetime


class RefreshTokenReused(TokenInvalid):
    """A used refresh token came again: somebody has a copy, so its family is revoked."""

    def __init__(self, family: UUID) -> None:
        super().__init__()
        self.family = family


def issuer() -> str:
    return f"{settings.PLAZA_SCHEME}://{settings.PLAZA_DOMAIN}"


@transaction.atomic
def issue(*, member: Member, now: datetime) -> TokenPair:
    """A first pair for `member`: a new family. Forgets the member's long expired tokens."""
    # Kept for one more life: a family is dead as long as one of its rows says so.
    forgotten = now - timedelta(days=settings.REFRESH_TOKEN_DAYS)
    RefreshToken.objects.filter(member=member, expires_at__lt=forgotten).delete()
    return _pair(member, new_id(), now)


def rotate(*, refresh: str, tenant: Tenant, now: datetime) -> TokenPair:
    """A new pair for an unused refresh token of `tenant`, which is used up by this.

    Raises TokenInvalid, TokenExpired, and RefreshTokenReused after revoking the family.
    """
    with transaction.atomic():
        found = _refresh_tokens(refresh, tenant).select_for_update(of=("self",)).first()
        if found is None or found.revoked_at is not None or _family_is_revoked(found.family):
            raise TokenInvalid()
        if found.used_at is None:
            return _used_up(found, now)
    revoke_family(family=found.family, now=now)
    log.warning("refresh_token.reused", extra={"member_id": str(found.member_id)})
    raise RefreshTokenReused(found.family)


def _used_up(found: RefreshToken, now: datetime) -> TokenPair:
    if found.expires_at <= now:
        raise TokenExpired()
    if not found.member.person.is_active or found.member.person.kind != Person.Kind.MEMBER:
        raise TokenInvalid()
    found.used_at = now
    found.save(update_fields=["used_at"])
    return _pair(found.member, found.family, now)


def revoke(*, refresh: str, tenant: Tenant, now: datetime) -> Member | None:
    """Sign out the family of this refresh token, and say whose it is.

    None where nothing was to be revoked: an unknown token is nobody's business (RFC 7009).
    """
    found = _refresh_tokens(refresh, tenant).first()
    if found is None or not revoke_family(family=found.family, now=now):
        return None
    return found.member


def revoke_family(*, family: UUID, now: datetime) -> int:
    """Refuse the family's refresh and access tokens from the next request on; how many rows that changed."""
    return RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=now)


def revoke_all(*, person: Person, now: datetime) -> None:
    """The same of every family that the person has, at whichever tenant."""
    RefreshToken.objects.filter(member__person=person, revoked_at=None).update(revoked_at=now)


def member_of_family(family: UUID) -> Member:
    """Whose family this is."""
    return RefreshToken.objects.select_related("member__person").filter(family=family)[0].member


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


def member_by_access(*, token: str, tenant: Tenant, now: datetime) -> tuple[Member, AccessClaims]:
    """Whose access token this is, with their person, and what it says: one query.

    Raises TokenInvalid (also when the member is gone or has signed out) and TokenExpired.
    """
    claims = read_access(token, tenant.pk, now)
    member = (
        Member.objects.select_related("person")
        .filter(
            ~Exists(_revoked(claims.family)),
            pk=claims.member_id,
            tenant_id=tenant.pk,
            person_id=claims.person_id,
            person__kind=Person.Kind.MEMBER,
            person__is_active=True,
        )
        .first()
    )
    if member is None:
        raise TokenInvalid()
    return member, claims


def _pair(member: Member, family: UUID, now: datetime) -> TokenPair:
    refresh = new_secret()
    RefreshToken.objects.create(
        member=member,
        family=family,
        token_hash=digest(refresh),
        expires_at=now + timedelta(days=settings.REFRESH_TOKEN_DAYS),
    )
    seconds = settings.ACCESS_TOKEN_SECONDS
    access = _signed(
        {
            "iss": issuer(),
            "aud": str(member.tenant_id),
            "sub": str(member.person_id),
            "member": str(member.pk),
            "sid": str(family),
            "jti": str(new_id()),
            "iat": int(now.timestamp()),
            "exp": int(now.timestamp()) + seconds,
        }
    )
    return TokenPair(access=access, refresh=refresh, expires_in=seconds)


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
        )
    except (KeyError, AttributeError, TypeError) as error:
        raise TokenInvalid() from error


def _refresh_tokens(refresh: str, tenant: Tenant) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.select_related("member__person").filter(
        token_hash=digest(refresh), member__tenant_id=tenant.pk
    )


def _revoked(family: UUID | OuterRef) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(family=family, revoked_at__isnull=False)


def _family_is_revoked(family: UUID) -> bool:
    """One revoked row is enough: a row that a racing rotation added meanwhile is dead with it."""
    return _revoked(family).exists()
