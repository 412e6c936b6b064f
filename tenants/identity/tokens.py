"""Access tokens (ES256, minutes) and families of refresh tokens (random, kept as hashes, used once).

An access token says who, never what: the role is that of the member's row, as the tenant's version in
force has it, so that a removed member is refused at once.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.db.models import Exists, OuterRef, QuerySet

from config.logs import logger
from tenants.identity import sign_ins
from tenants.identity.access_tokens import AccessClaims, read_access, sign_access
from tenants.identity.hashing import digest, new_secret
from tenants.identity.refusals import TokenExpired, TokenInvalid
from tenants.models import Member, Person, RefreshToken, SignIn, Tenant

log = logger(__name__)


@dataclass(frozen=True, slots=True)
class TokenPair:
    """`expires_in` is the life of `access` in seconds."""

    access: str
    refresh: str
    expires_in: int


class RefreshTokenReused(TokenInvalid):
    """A used refresh token came again: somebody has a copy, so its family is revoked."""

    def __init__(self, family: UUID) -> None:
        super().__init__()
        self.family = family


@transaction.atomic
def issue(*, member: Member, now: datetime, has_second_factor: bool = False) -> TokenPair:
    """A first pair for `member`: a new family, which is a sign-in. Forgets the member's long expired tokens."""
    # Kept for one more life: a family is dead as long as one of its rows says so.
    forgotten = now - timedelta(days=settings.REFRESH_TOKEN_DAYS)
    RefreshToken.objects.filter(member=member, expires_at__lt=forgotten).delete()
    begun = sign_ins.open_sign_in(
        member=member, kind=SignIn.Kind.TOKEN, now=now, has_second_factor=has_second_factor
    )
    return _pair(member, begun.pk, now, has_second_factor=has_second_factor)


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
    begun = SignIn.objects.filter(pk=found.family)
    begun.update(last_seen_at=now)
    proved = begun.values_list("has_second_factor", flat=True).first()
    return _pair(found.member, found.family, now, has_second_factor=bool(proved))


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
    sign_ins.close(SignIn.objects.filter(pk=family), now=now)
    return RefreshToken.objects.filter(family=family, revoked_at=None).update(revoked_at=now)


def revoke_all(*, person: Person, now: datetime) -> None:
    """The same of every family that the person has, at whichever tenant."""
    tokens_there = SignIn.objects.filter(member__person=person, kind=SignIn.Kind.TOKEN)
    sign_ins.close(tokens_there, now=now)
    RefreshToken.objects.filter(member__person=person, revoked_at=None).update(revoked_at=now)


def member_of_family(family: UUID) -> Member:
    """Whose family this is."""
    return RefreshToken.objects.select_related("member__person").filter(family=family)[0].member


def member_by_access(*, token: str, tenant: Tenant, now: datetime) -> tuple[Member, AccessClaims]:
    """Whose access token this is, with their person, and what it says: one query.

    Raises TokenInvalid (also when the member is gone or has signed out) and TokenExpired.
    """
    claims = read_access(token, tenant.pk, now)
    member = (
        Member.objects.select_related("person", "custom_role")
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


def _pair(member: Member, family: UUID, now: datetime, *, has_second_factor: bool) -> TokenPair:
    refresh = new_secret()
    RefreshToken.objects.create(
        member=member,
        family=family,
        token_hash=digest(refresh),
        expires_at=now + timedelta(days=settings.REFRESH_TOKEN_DAYS),
    )
    access = sign_access(member=member, family=family, has_second_factor=has_second_factor, now=now)
    return TokenPair(access=access, refresh=refresh, expires_in=settings.ACCESS_TOKEN_SECONDS)


def _refresh_tokens(refresh: str, tenant: Tenant) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.select_related("member__person").filter(
        token_hash=digest(refresh), member__tenant_id=tenant.pk
    )


def _revoked(family: UUID | OuterRef) -> QuerySet[RefreshToken]:
    return RefreshToken.objects.filter(family=family, revoked_at__isnull=False)


def _family_is_revoked(family: UUID) -> bool:
    """One revoked row is enough: a row that a racing rotation added meanwhile is dead with it."""
    return _revoked(family).exists()
