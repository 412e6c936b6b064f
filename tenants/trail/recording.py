"""Write one act into the trail, in the transaction of the act itself: both are done, or neither."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from django.db import DatabaseError, InterfaceError, OperationalError, connection
from django.utils.translation import gettext_lazy as _

from config.context import current_tenant
from config.errors import DomainError
from config.ids import new_id
from config.logs import logger
from config.seals import sealed
from tenants.models import OPERATORS
from tenants.trail.actions import Action
from tenants.trail.masking import changed, plain
from tenants.trail.origin import Actor, Origin, origin

log = logger(__name__)
Values = Mapping[str, Any]


class AuditTrailAway(DomainError):
    """The act cannot be recorded, so it is not done: nothing was changed."""

    code = "audit_trail_away"
    status = 503
    title = _("This cannot be recorded in the audit trail at the moment, so it was not done.")
    headers = {"Retry-After": "10"}


@dataclass(frozen=True, slots=True)
class Subject:
    """What was acted upon: the noun of its address, its id, and a name that says nothing personal."""

    kind: str
    id: UUID | str = ""
    label: str = ""


@dataclass(frozen=True, slots=True)
class Change:
    """Values before and after; those that are equal are left out, the others masked by rule."""

    before: Values = field(default_factory=dict)
    after: Values = field(default_factory=dict)


NOTHING = Change()


def record(
    action: Action,
    subject: Subject,
    change: Change = NOTHING,
    *,
    tenant_id: UUID | None = None,
    actor: Actor | None = None,
) -> None:
    """Record an act at the tenant in force (or `tenant_id`); an operator's stands in the operators' trail too.

    Call it inside the act's transaction, with the tenant's or the square's rights. Raises AuditTrailAway.
    """
    record_all(action, [(subject, change)], tenant_id=tenant_id, actor=actor)


def record_all(
    action: Action,
    acts: Iterable[tuple[Subject, Change]],
    *,
    tenant_id: UUID | None = None,
    actor: Actor | None = None,
) -> None:
    """`record` for many subjects of one act, by one statement."""
    here, found, told = current_tenant(), origin(), list(acts)
    whose = tenant_id or (here.id if here else None)
    who = actor or found.actor
    if whose is not None:
        _write(whose, [_body(action, each, who, found, about=None) for each in told])
    if whose is None or who.operator_id is not None:
        _write(OPERATORS, [_body(action, each, who, found, about=whose) for each in told])


def record_for_operators(
    action: Action,
    subject: Subject,
    change: Change = NOTHING,
    *,
    about: UUID | None = None,
    actor: Actor | None = None,
) -> None:
    """Record it in the operators' trail alone: it stays when the tenant `about` is gone. Raises AuditTrailAway."""
    found = origin()
    who = actor or found.actor
    _write(OPERATORS, [_body(action, (subject, change), who, found, about=about)])


def _body(
    action: Action,
    act: tuple[Subject, Change],
    who: Actor,
    found: Origin,
    *,
    about: UUID | None,
) -> dict[str, Any]:
    subject, change = act
    before, after = changed(change.before, change.after)
    return {
        "id": new_id(),
        "action": action.value,
        "actor_kind": who.kind,
        "actor_id": who.id,
        "person_id": who.person_id,
        "operator_id": who.operator_id,
        "about_tenant_id": about,
        "object_kind": subject.kind,
        "object_id": plain(str(subject.id))[:100],
        "object_label": plain(subject.label)[:200],
        "address": found.address,
        "user_agent": found.user_agent,
        "request_id": found.request_id,
        "before": before,
        "after": after,
    }


def _write(chain: UUID, bodies: list[dict[str, Any]]) -> None:
    if not bodies:
        return
    told = json.dumps(bodies, default=str, ensure_ascii=True)
    statement, parameters = sealed("record_trail", str(chain), told)
    try:
        with connection.cursor() as cursor:
            cursor.execute(statement, parameters)
    except (OperationalError, InterfaceError):
        raise  # the database itself is away, which is told as such
    except DatabaseError as error:
        log.critical("trail.refused", extra={"action": bodies[0]["action"], "chain": str(chain)})
        raise AuditTrailAway() from error
