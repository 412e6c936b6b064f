"""A tenant's provider: set, tried, enforced, removed."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from config.errors import ServiceUnavailable, ValidationFailed
from config.needs import Role
from config.roles import BUILT_IN
from tenants.identity import openid_client
from tenants.identity.openid_client import Provider
from tenants.identity.ranks import refuse_above
from tenants.identity.refusals import OpenIdRefused
from tenants.identity.sso.refusals import SsoNotSet, SsoNotTried, SsoRequired
from tenants.models import Member, SsoConnection, Tenant
from tenants.outbound.addresses import check_url
from tenants.services import address_at, host_of
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record
from tenants.vault.sealing import open_of, seal_for

CALLBACK = "/login/sso/callback"
# What an owner may is given by an owner, never by a provider's groups.
_GIVEN = frozenset(Role) - {Role.OWNER}


@dataclass(frozen=True, slots=True)
class SsoWish:
    """`client_secret` None keeps the one that is set. `role_map`: the role of each of the provider's groups."""

    issuer: str
    client_id: str
    client_secret: str | None = field(default=None, repr=False)
    default_role: str = Role.MEMBER
    role_claim: str = ""
    role_map: dict[str, str] = field(default_factory=dict)
    is_enforced: bool = False


def connection_of(tenant_id: UUID) -> SsoConnection:
    """Raises SsoNotSet."""
    found = SsoConnection.objects.select_related("tenant").filter(tenant_id=tenant_id).first()
    if found is None:
        raise SsoNotSet()
    return found


def is_set(tenant_id: UUID) -> bool:
    return SsoConnection.objects.filter(tenant_id=tenant_id).exists()


def refuse_where_enforced(member: Member) -> None:
    """Raise SsoRequired where the tenant lets only owners in by other ways: they break the glass."""
    enforced = SsoConnection.objects.filter(tenant_id=member.tenant_id, is_enforced=True)
    if member.role != Role.OWNER and enforced.exists():
        raise SsoRequired()


def provider_of(found: SsoConnection) -> Provider:
    """Our account at the tenant's provider, which is asked with care: its address is the tenant's word."""
    return Provider(
        name=f"sso-{found.tenant_id.hex}",
        issuer=found.issuer,
        client_id=found.client_id,
        client_secret=open_of(found, "sealed_secret"),
        callback=callback_of(found.tenant),
        is_guarded=True,
    )


def callback_of(tenant: Tenant) -> str:
    """What the provider's administrator enters as the address to come back to."""
    return f"{address_at(host_of(tenant.slug))}{CALLBACK}"


def put(*, tenant_id: UUID, wish: SsoWish, by: Member, now: datetime) -> tuple[SsoConnection, bool]:
    """Set the tenant's provider after asking it who it is; the connection, and whether it is new.

    Raises ValidationFailed (`issuer`, `client_secret`, `default_role`, `role_map`), SsoNotTried,
    PermissionDenied for a role above one's own.
    """
    _check(wish, by)
    found = SsoConnection.objects.filter(tenant_id=tenant_id).first()
    row = found or SsoConnection(tenant_id=tenant_id, created_at=now)
    if wish.client_secret is None and found is None:
        raise ValidationFailed(errors={"client_secret": [_("This field is required.")]})
    is_another = (row.issuer, row.client_id) != (wish.issuer, wish.client_id)
    row.issuer, row.client_id = wish.issuer, wish.client_id
    row.default_role, row.role_claim = wish.default_role, wish.role_claim
    row.role_map, row.is_enforced = wish.role_map, wish.is_enforced
    row.used_at = None if is_another else row.used_at
    if wish.is_enforced and row.used_at is None:
        raise SsoNotTried()
    if wish.client_secret is not None:
        row.sealed_secret = seal_for(row, "sealed_secret", wish.client_secret)
    # Outside of a transaction: a slow provider holds no lock of ours.
    _ask(row)
    return _saved(row), found is None


@transaction.atomic
def _saved(row: SsoConnection) -> SsoConnection:
    row.save()
    after = {"issuer": row.issuer, "is_enforced": row.is_enforced}
    record(Action.SSO_SET, Subject("sso", row.pk), Change(after=after), tenant_id=row.tenant_id)
    return row


def _check(wish: SsoWish, by: Member) -> None:
    try:
        check_url(wish.issuer)
    except ValidationFailed as refused:
        raise ValidationFailed(errors={"issuer": refused.facts["errors"]["url"]}) from refused
    for name, roles in (
        ("default_role", [wish.default_role]),
        ("role_map", wish.role_map.values()),
    ):
        if not set(roles) <= _GIVEN:
            message = _("One of %(roles)s.") % {"roles": ", ".join(sorted(_GIVEN))}
            raise ValidationFailed(errors={name: [message]})
        for role in roles:
            refuse_above(by, BUILT_IN[Role(role)])


def _ask(row: SsoConnection) -> None:
    try:
        openid_client.check(provider_of(row))
    except (OpenIdRefused, ServiceUnavailable) as refused:
        message = _("No OpenID provider of this name answers there.")
        raise ValidationFailed(errors={"issuer": [message]}) from refused


@transaction.atomic
def remove(*, tenant_id: UUID) -> None:
    """Forget the provider and who came by it; the members stay. Raises SsoNotSet."""
    found = connection_of(tenant_id)
    record(Action.SSO_REMOVED, Subject("sso", found.pk), tenant_id=tenant_id)
    found.tenant.sso_identities.all().delete()
    found.delete()


def used(found: SsoConnection, *, now: datetime) -> None:
    """Somebody came by it."""
    SsoConnection.objects.filter(pk=found.pk).update(used_at=now)
