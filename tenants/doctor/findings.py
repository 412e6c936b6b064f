"""What the doctor speaks in: a patient is asked, a fault is found, and some faults mend themselves."""

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from functools import partial
from typing import Any, LiteralString, TypeVar
from uuid import UUID

import psycopg

from tenants.granting import prepare_rights
from tenants.preparing import prepare_roles

Answer = TypeVar("Answer")
_PASSWORD = re.compile(r"\bPASSWORD '[^']*'")
# Who may have a schema: a tenant, one that is being erased, or a ready schema. `living` are in use.
_STALLS: LiteralString = """
WITH known AS (
    SELECT schema_name::text AS stall, id, status::text, slug::text
      FROM public.tenants_tenant WHERE status <> 'closed'
    UNION ALL
    SELECT 't_' || replace(tenant_id::text, '-', ''), tenant_id, 'erasing', slug
      FROM public.tenants_erasure WHERE finished_at IS NULL
    UNION ALL
    SELECT 't_' || replace(id::text, '-', ''), id, 'ready', '' FROM public.tenants_readyschema
), living AS (
    SELECT * FROM known WHERE status NOT IN ('provisioning', 'erasing', 'ready')
), stalls AS (
    SELECT DISTINCT stall, id FROM known
)
"""


class Level(StrEnum):
    """ERROR: a wall or a tenant is broken. WARNING: something is left over, or waits."""

    ERROR = "error"
    WARNING = "warning"


@dataclass(frozen=True, slots=True)
class Patient:
    """The installation, as the owner sees it at `now` (aware UTC)."""

    connection: psycopg.Connection[tuple[Any, ...]]
    now: datetime
    _answers: dict[Any, Any] = field(default_factory=dict, repr=False, compare=False)

    def once(self, question: Callable[["Patient"], Answer]) -> Answer:
        """What `question` answers of this patient; several checks that need it ask it once."""
        if question not in self._answers:
            self._answers[question] = question(self)
        answer: Answer = self._answers[question]
        return answer

    def ask(self, question: LiteralString, **facts: Any) -> list[tuple[Any, ...]]:
        # Without facts psycopg reads no placeholders, so that `%I` in format() needs no doubling.
        return self.connection.execute(question, facts or None).fetchall()

    def ask_of_stalls(self, question: LiteralString, **facts: Any) -> list[tuple[Any, ...]]:
        """`ask`, with `known` (stall, id, status, slug), `living` (the same) and `stalls` (stall, id) at hand."""
        return self.ask(_STALLS + question, **facts)

    def do(self, statements: str) -> None:
        """Run our own SQL, several statements as one transaction."""
        self.connection.execute(statements.encode())


Mend = Callable[[Patient], None]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong. `cure` is a command or SQL for a person; `mend` does it, where that is safe."""

    what: str
    cure: str
    tenant_id: UUID | None = None
    mend: Mend | None = field(default=None, repr=False, compare=False)


Question = Callable[[Patient], Iterator[Fault]]


@dataclass(frozen=True, slots=True)
class Check:
    """A row of the table of checks: `code` names the finding for good."""

    code: str
    level: Level
    find: Question


@dataclass(frozen=True, slots=True)
class Finding:
    """A fault that some check found. `tenant_id` is None where it is the installation's."""

    code: str
    level: Level
    fault: Fault

    def facts(self) -> dict[str, Any]:
        """{code, level, tenant, what, cure, mendable}, as `--json` prints it."""
        return {
            "code": self.code,
            "level": str(self.level),
            "tenant": str(self.fault.tenant_id) if self.fault.tenant_id else None,
            "what": self.fault.what,
            "cure": self.fault.cure,
            "mendable": self.fault.mend is not None,
        }


def by_sql(what: str, sql: str, tenant_id: UUID | None = None) -> Fault:
    """A fault that its own cure mends: `sql` is ours, and safe to run twice.

    A password in it is told to nobody: what the doctor says stands in logs and tickets.
    """
    cure = _PASSWORD.sub("PASSWORD '…'", sql)
    return Fault(what, cure=cure, tenant_id=tenant_id, mend=lambda patient: patient.do(sql))


def by_prepare(what: str, *, before: str = "") -> Fault:
    """A fault that `manage.py database prepare` mends, once for all of them; after our own SQL `before`."""
    mend = partial(_prepare, before=before) if before else _prepare
    return Fault(what, cure=f"{before}\nmanage.py database prepare".strip(), mend=mend)


def _prepare(patient: Patient, *, before: str = "") -> None:
    if before:
        patient.do(before)
    prepare_roles()
    prepare_rights(anew=True)
