"""Who asks: what a credential proved, as every layer above may read it."""

from dataclasses import dataclass
from enum import StrEnum
from uuid import UUID

from django.http import HttpRequest

from config.context import NoTenant
from config.needs import Permission
from tenants.identity.refusals import CredentialsMissing
from tenants.identity.scopes import ALL_SCOPES
from tenants.models import Member, Tenant
from tenants.snapshots import TenantSnapshot


class CallerKind(StrEnum):
    SESSION = "session"
    TOKEN = "token"  # noqa: S105 (a kind, not a secret)
    API_KEY = "api_key"
    ANONYMOUS = "anonymous"


@dataclass(frozen=True, slots=True)
class Caller:
    """`credential_id` names what to count against: `member:<id>` for people, `key:<id>` for keys.

    A person has every scope; a key has those it was given. `permissions` are the member's, and of a key
    those of its maker that its scopes allow. `family` is the sign-in's id, and that of the
    refresh tokens behind an access token; `has_second_factor` whether it proved one. `operator_id` that of the operator who impersonates the person.
    """

    kind: CallerKind
    tenant_id: UUID | None = None
    person_id: UUID | None = None
    member_id: UUID | None = None
    role_name: str = ""
    scopes: frozenset[str] = frozenset()
    permissions: frozenset[Permission] = frozenset()
    credential_id: str = ""
    family: UUID | None = None
    has_second_factor: bool = False
    operator_id: UUID | None = None

    @property
    def is_anonymous(self) -> bool:
        return self.kind is CallerKind.ANONYMOUS

    @property
    def is_person(self) -> bool:
        """Whether a person acts by their own sign-in, not a program by a key."""
        return self.kind in {CallerKind.SESSION, CallerKind.TOKEN}

    @property
    def sees_personal(self) -> bool:
        """Whether e-mails and phones are shown (`pii:read`): to no impersonator."""
        return self.operator_id is None and Permission.PII_READ in self.permissions


ANONYMOUS = Caller(kind=CallerKind.ANONYMOUS)


def person_caller(
    member: Member,
    kind: CallerKind,
    *,
    family: UUID | None = None,
    has_second_factor: bool = False,
) -> Caller:
    """The caller that a member is who signed in themselves."""
    return Caller(
        kind=kind,
        tenant_id=member.tenant_id,
        person_id=member.person_id,
        member_id=member.pk,
        role_name=member.role_name,
        scopes=ALL_SCOPES,
        permissions=member.permissions,
        credential_id=f"member:{member.pk}",
        family=family,
        has_second_factor=has_second_factor,
    )


def caller_of(request: HttpRequest) -> Caller:
    """The caller that CallerMiddleware found."""
    found: Caller = getattr(request, "caller", ANONYMOUS)
    return found


def member_of(request: HttpRequest) -> Member:
    """The member who asks (for a key: who made it), with their person. Raises CredentialsMissing."""
    member: Member | None = getattr(request, "member", None)
    if member is None:
        raise CredentialsMissing()
    return member


def snapshot_of(request: HttpRequest) -> TenantSnapshot:
    """What this process knows of that tenant. Raises NoTenant on the square."""
    snapshot: TenantSnapshot | None = getattr(request, "snapshot", None)
    if snapshot is None:
        raise NoTenant("The square has no tenant.")
    return snapshot


def tenant_of(request: HttpRequest) -> Tenant:
    """The tenant whose host was asked. Raises NoTenant on the square."""
    tenant: Tenant | None = getattr(request, "tenant", None)
    if tenant is None:
        raise NoTenant("The square has no tenant.")
    return tenant
