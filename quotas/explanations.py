"""Why a request was refused: kept for some days, and told to the tenant and to support.

Refusals wait in memory and are written once a second, many in one statement, so that a refused request
costs no statement. A flood of one tenant's refusals is kept up to a number a second, and the log has
the rest.
"""

import threading
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.conf import settings

from config.errors import NotFound
from config.logs import logger
from quotas.decision import Decision
from quotas.entitlements import GrantInForce, Snapshot
from quotas.models import Explanation
from quotas.question import Question

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
        "role": question.caller.role.value if question.caller.role else None,
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
                told=told,
            )
        )


def _deciding(rule: str, found: Snapshot | None) -> dict[str, Any]:
    """The grant whose limit or rate decided, and every other that states one."""
    kind, _, name = rule.partition(":")
    if found is None or kind not in {"rate", "meter", "feature", "concurrency"}:
        return {}
    stating = [each for each in found.grants if _states(each, kind, name)]
    return {
        "grants": [_grant(each) for each in stating or found.grants],
        "hold": found.hold or None,
    }


def _states(grant: GrantInForce, kind: str, name: str) -> bool:
    if kind == "meter":
        return name in grant.limits
    if kind == "feature":
        return name in grant.features
    return (name or kind) in grant.rates


def _grant(grant: GrantInForce) -> dict[str, Any]:
    return {
        "source": grant.source,
        "plan": grant.plan,
        "priority": grant.priority,
        "expires_at": grant.expires_at.isoformat() if grant.expires_at else None,
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


def find(*, tenant_id: UUID, request_id: str) -> Explanation:
    """The refusal of this request; the last one where a client uses an id again. Raises NotFound."""
    found = (
        Explanation.objects.filter(tenant_id=tenant_id, request_id=request_id)
        .order_by("-decided_at")
        .first()
    )
    if found is None:
        raise NotFound()
    return found


def forget(*, now: datetime) -> int:
    """Let go of what is older than PLAZA_EXPLAIN_DAYS; how many they were."""
    oldest = now - timedelta(days=settings.PLAZA_EXPLAIN_DAYS)
    return Explanation.objects.filter(decided_at__lt=oldest).delete()[0]
