"""Why a request was refused: kept for some days, and told to the tenant and to support.

Refusals wait in memory and are written once a second, many in one statement, so that a refused request
costs no statement. A flood of one tenant's refusals is kept up to a number a second, and the log has
the rest.
"""

import math
import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings
from django.db.models import QuerySet
from django.utils.translation import gettext_lazy as _

from config.errors import NotFound
from config.logs import logger
from config.needs import Permission
from quotas.decision import Decision
from quotas.entitlements import GrantInForce, Snapshot
from quotas.models import Explanation
from quotas.question import Question
from tenants.identity.caller import Caller

log = logger(__name__)
_MOST_A_TURN = 200
_waiting: list[Explanation] = []
_kept: Counter[UUID] = Counter()
_lock = threading.Lock()


@dataclass(frozen=True, slots=True)
class Asked:
    """What of the request is told: no query, for that may hold personal data."""

    request_id: str
    method: str
    path: str


def explain(asked: Asked, question: Question, decision: Decision) -> None:
    """Keep why `decision` refused. Written by the next `flush`."""
    tenant_id = question.tenant.pk
    told = decision.told() | {
        "method": asked.method,
        "path": asked.path,
        "caller": question.caller.kind.value,
        "credential": question.caller.credential_id,
        "role": question.caller.role_name or None,
        "cost": question.cost.calls,
        "facts": _plain(decision.refusal.facts if decision.refusal else {}),
        **_deciding(decision.rule, decision.entitlements),
    }
    with _lock:
        _kept[tenant_id] += 1
        if _kept[tenant_id] > _MOST_A_TURN:
            return
        _waiting.append(
            Explanation(
                tenant_id=tenant_id,
                request_id=asked.request_id,
                decided_at=question.now,
                code=decision.code,
                credential=question.caller.credential_id,
                told=told,
            )
        )


def _deciding(rule: str, found: Snapshot | None) -> dict[str, Any]:
    """The grants that state what decided, the deciding one first; of a missing feature, all that were looked at."""
    if found is None:
        return {}
    kind, __, name = rule.partition(":")
    if kind == "feature":
        stating = [_grant(each) for each in found.grants]
    else:
        stating = [
            _grant(each, stated=stated)
            for each in found.grants
            if (stated := _stated(each, kind, name)) is not None
        ]
        # Among the highest priority the most generous decides (quotas/merging.py); what only adds comes last.
        stating.sort(key=_place)
        for place, told in enumerate(stating):
            told["decides"] = place == 0
    return {"grants": stating, "hold": found.hold or None}


def _stated(grant: GrantInForce, kind: str, name: str) -> dict[str, int | None] | None:
    """What the grant says of a rule: a limit (of a rate with its seconds), or what it adds to it; None for nothing."""
    if kind == "meter" and name in grant.limits:
        return {"limit": grant.limits[name], "seconds": None, "adds": grant.adds.get(name)}
    if kind == "meter" and name in grant.adds:
        return {"limit": 0, "seconds": None, "adds": grant.adds[name]}
    rate = grant.rates.get(name or kind) if kind in {"rate", "concurrency"} else None
    return None if rate is None else {"limit": rate.limit, "seconds": rate.seconds, "adds": None}


def _place(told: Mapping[str, Any]) -> tuple[bool, int, float]:
    states = told["states"]
    limit, seconds = states["limit"], states["seconds"]
    only_adds = limit == 0 and states["adds"] is not None
    generosity = math.inf if limit is None else limit / (seconds or 1)
    return only_adds, -told["priority"], -generosity


def _grant(
    grant: GrantInForce, *, stated: Mapping[str, int | None] | None = None
) -> dict[str, Any]:
    ends = grant.expires_at
    return {
        "source": grant.source,
        "plan": grant.plan,
        "priority": grant.priority,
        "reason": grant.reason,
        "expires_at": ends.isoformat().replace("+00:00", "Z") if ends else None,
        "states": stated,
        "decides": False,
    }


def _plain(facts: Mapping[str, Any]) -> dict[str, Any]:
    simple = (str, int, float, bool, type(None), list)
    return {
        name: value if isinstance(value, simple) else str(value) for name, value in facts.items()
    }


def flush() -> int:
    """Write what waits, on the square; how many they were."""
    with _lock:
        batch, _waiting[:] = _waiting[:], []
        flooded = {str(each): n for each, n in _kept.items() if n > _MOST_A_TURN}
        _kept.clear()
    if flooded:
        log.warning("explanations.left_out", extra={"refused": flooded})
    try:
        Explanation.objects.bulk_create(batch)
    except Exception:  # whatever it is flies on; nothing that waits is lost by it
        with _lock:
            _waiting[:0] = batch
        raise
    return len(batch)


def clear() -> None:
    """Forget what waits: a test's."""
    with _lock:
        _waiting.clear()
        _kept.clear()


def shown_to(caller: Caller) -> str | None:
    """Whose refusals `caller` may see: None is everybody's (owner, admin, billing), else one credential's."""
    sees_all = Permission.BILLING_READ in caller.permissions
    return None if sees_all else caller.credential_id


def find(*, tenant_id: UUID, request_id: str, of: str | None) -> Explanation:
    """The refusal of this request; the last one where a client uses an id again. `of` as `shown_to` says.

    Raises NotFound, also for somebody else's.
    """
    found = _refusals(tenant_id, of).filter(request_id=request_id).first()
    if found is None:
        raise NotFound(detail=_("No refusal of this request is kept; it takes a second to be."))
    return found


def recent(
    *, tenant_id: UUID, of: str | None, most: int, request_id: str = ""
) -> list[Explanation]:
    """The last refusals, the newest first; with `request_id`, of that request alone."""
    found = _refusals(tenant_id, of)
    return list((found.filter(request_id=request_id) if request_id else found)[:most])


def _refusals(tenant_id: UUID, of: str | None) -> QuerySet[Explanation]:
    found = Explanation.objects.filter(tenant_id=tenant_id).order_by("-decided_at", "-id")
    return found if of is None else found.filter(credential=of)


def forget(*, now: datetime) -> int:
    """Let go of what is older than PLAZA_EXPLAIN_DAYS; how many they were."""
    oldest = now - timedelta(days=settings.PLAZA_EXPLAIN_DAYS)
    return Explanation.objects.filter(decided_at__lt=oldest).delete()[0]
