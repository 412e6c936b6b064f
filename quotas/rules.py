"""What refuses by itself, without counting: the tenant's state, its plan's features, the caller's role."""

from django.conf import settings

from config.errors import DomainError, PermissionDenied
from config.needs import SAFE_METHODS, Needs
from quotas.entitlements import Snapshot
from quotas.question import Question
from quotas.refusals import HOLDS, READ_ONLY, FeatureNotInPlan
from tenants.identity.caller import CallerKind
from tenants.life.refusals import TenantClosing
from tenants.models import Tenant
from tenants.services import TenantSuspended


def state_refusal(tenant: Tenant, found: Snapshot, *, method: str = "") -> DomainError | None:
    """Why nothing is to be had at this tenant now, or nothing with `method`; a task has none and may write."""
    if tenant.status == Tenant.Status.CLOSING:
        return TenantClosing(
            reason=tenant.closing_reason, erase_after=tenant.erase_after, support=_support()
        )
    if tenant.status != Tenant.Status.ACTIVE:
        return TenantSuspended(
            state=tenant.status, reason=tenant.suspended_reason, support=_support()
        )
    return _hold_refusal(found.hold, method) if found.hold else None


def _hold_refusal(hold: str, method: str) -> DomainError | None:
    if hold != READ_ONLY:
        return HOLDS[hold](degree="suspended", support=_support())
    return None if method in SAFE_METHODS else HOLDS[hold](degree="read_only", support=_support())


def _support() -> str:
    """Who may nothing else is told where to ask."""
    return settings.PLAZA_SUPPORT_URL


def feature_refusal(needs: Needs, found: Snapshot) -> DomainError | None:
    feature = needs.feature
    if feature is None or feature.value in found.features:
        return None
    return FeatureNotInPlan(feature=feature.value, upgrade_to=found.upgrade_with(feature))


def role_refusal(asked: Question) -> DomainError | None:
    """Whether this caller, with this credential, may do that here."""
    needed = asked.needs.permission_for(asked.method)
    caller = asked.caller
    if caller.tenant_id != asked.tenant.pk:
        return PermissionDenied()
    if needed in caller.permissions:
        return None
    told = {"role": caller.role_name, "scopes": sorted(caller.scopes)}
    kept = "scopes" if caller.kind is CallerKind.API_KEY else "role"
    return PermissionDenied(needed_permission=needed.value, **{kept: told[kept]})
