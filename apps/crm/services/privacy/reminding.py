"""Reminders of requests of a law: a week and a day before the last day, and once it has passed."""

from dataclasses import dataclass
from datetime import date, timedelta
from uuid import UUID

from apps.crm.models import PrivacyRequest
from tenants import mails

_DAYS_BEFORE = (7, 1)
_ROLES = ("owner", "admin")


@dataclass(frozen=True, slots=True)
class Due:
    """A request that is open while its last day comes near. `step` is what its reminder is called."""

    request_id: UUID
    law: str
    kind: str
    due_on: date
    step: str


def due_soon(*, today: date) -> list[Due]:
    """Those that somebody should hear of today, the most pressing first."""
    near = PrivacyRequest.objects.filter(
        status=PrivacyRequest.Status.OPEN, due_on__lte=today + timedelta(days=max(_DAYS_BEFORE))
    )
    return [
        Due(row.pk, row.law, row.kind, row.due_on, _step(row.due_on, today))
        for row in near.order_by("due_on", "pk")
    ]


def remind(*, tenant_id: UUID, due: list[Due], today: date) -> int:
    """Promise the mails, each once for each step; on the square. How many are new."""
    return sum(
        mails.post(
            tenant_id=tenant_id,
            roles=_ROLES,
            kind="privacy_request_due",
            key=f"privacy_request:{each.request_id}:{each.due_on}:{each.step}",
            facts={
                "law": each.law,
                "kind": each.kind,
                "due_on": each.due_on.isoformat(),
                "is_late": each.due_on < today,
            },
        )
        for each in due
    )


def _step(due_on: date, today: date) -> str:
    left = (due_on - today).days
    if left < 0:
        return "late"
    return str(min(days for days in _DAYS_BEFORE if left <= days))
