"""Copies of a tenant with what money knows of it: the plan that an archive tells, and a trial for what is restored."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from billing import catalogue
from billing.models import Subscription
from billing.services import subscriptions
from quotas.storage import STORAGE_BYTES
from tenants import archives
from tenants.archives.manifest import Manifest
from tenants.models import Archive, Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

Tell = Callable[[str], None]


def plan_of(tenant_id: UUID) -> str:
    """The tenant's plan; empty where it has none."""
    plans = Subscription.objects.filter(tenant_id=tenant_id).values_list("plan", flat=True)
    return plans.first() or ""


def export_to(*, tenant_id: UUID, to: Path, now: datetime, tell: Tell) -> Manifest:
    """Write the tenant's archive. Raises what tenants/archives raises, and AuditTrailAway before any of it."""
    record(Action.EXPORT_MADE, Subject("export"), tenant_id=tenant_id)
    return archives.export_to(
        tenant_id=tenant_id, to=to, plan=plan_of(tenant_id), now=now, tell=tell
    )


def request_export(*, tenant_id: UUID, by_id: UUID | None = None) -> Archive:
    """Promise an archive to the person `by_id`; `Archive.status` and its steps say how far it is."""
    return archives.request_export(tenant_id=tenant_id, plan=plan_of(tenant_id), by_id=by_id)


@dataclass(frozen=True, slots=True)
class Content:
    """What an archive holds, against a plan: `above` it, and the cheapest plan that has room for all of it."""

    plan: str
    above: list[dict[str, Any]]
    fitting_plan: str


def look_into(*, path: Path, slug: str, plan: str, is_foreign_allowed: bool) -> Content:
    """Look at plan, name and archive, in this order and before any work. Raises what `import_from` raises."""
    spec = subscriptions.find_plan(plan)
    archives.check_name(slug)
    used = archives.usage_in(path, is_foreign_allowed=is_foreign_allowed)
    fitting = (other.key for other in catalogue.plans() if not _above(other, used))
    return Content(plan=spec.key, above=_above(spec, used), fitting_plan=next(fitting, ""))


def _above(spec: catalogue.PlanSpec, used: Mapping[str, int]) -> list[dict[str, Any]]:
    """`[{meter, used, limit}]` of what is more than the plan allows."""
    limits = {meter.value: limit for meter, limit in spec.limits.items()}
    limits[STORAGE_BYTES] = spec.shares.storage_limit_bytes
    return [
        {"meter": meter, "used": used[meter], "limit": limit}
        for meter, limit in limits.items()
        if limit is not None and used.get(meter, 0) > limit
    ]


def import_from(  # noqa: PLR0913 - where from, as what, on which plan
    *,
    path: Path,
    slug: str,
    organisation: str,
    plan: str,
    is_foreign_allowed: bool,
    now: datetime,
    tell: Tell,
) -> Tenant:
    """Restore an archive as a new tenant on `plan` (a paid one as a trial), and open it.

    What it uses above the plan's limits it keeps; more of it is refused until it is below them.
    Raises ValidationFailed, SlugTaken and the refusals of tenants/archives.
    """
    spec = subscriptions.find_plan(plan)
    restored = archives.restore_from(
        path=path,
        slug=slug,
        organisation=organisation,
        is_foreign_allowed=is_foreign_allowed,
        now=now,
        tell=tell,
    )
    subscriptions.start(tenant=restored.tenant, plan=spec.key, now=now)
    return archives.finished(tenant_id=restored.tenant.id, now=now)
