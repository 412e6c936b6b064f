"""What is declared, as PostgreSQL itself would have it: made by `database prepare`'s own code, and read.

That happens in a transaction which is rolled back, in a clean room: the roles and the square's schemas are
renamed out of the way, empty tables of the same columns take their place, and what prepare makes of the
packages' `rights.py` there is all that there is. So there is no second list of what ought to be. Nobody
waits for it: no table that is in use is locked but against being altered.
"""

from collections.abc import Iterator
from dataclasses import dataclass

import psycopg
from django.conf import settings

from config.ids import new_id
from tenants.citus.provisioning import role_sql
from tenants.crossing import again_where_crossed
from tenants.doctor.findings import Fault, Patient
from tenants.doctor.readings import Owner, Reading, read
from tenants.doctor.stall_readings import StallLine, read_stall
from tenants.granting import render_rights
from tenants.preparing import render_roles
from tenants.roles import OURS, PREPARING, create_role_sql

_AWAY = "_away"
_SQUARE = ("public", "plaza")
# A migration in the middle, or another who prepares: then it is said that it could not be told.
_PATIENCE = "SET LOCAL lock_timeout = '5s'"
_COPIES = """
SELECT CASE relkind WHEN 'S' THEN format('CREATE SEQUENCE %%I.%%I;', %(into)s::text, relname)
       ELSE format('CREATE TABLE %%I.%%I (LIKE %%I.%%I);', %(into)s::text, relname, nspname, relname) END
  FROM pg_class JOIN pg_namespace AS n ON n.oid = relnamespace
 WHERE nspname = %(of)s AND relkind = ANY(%(kinds)s)
"""
# Of a tenant's schema its views too; those of public are declared, or nobody's.
_PUBLIC_KINDS, _STALL_KINDS = ["r", "p", "S"], ["r", "p", "S", "v"]


@dataclass(frozen=True, slots=True)
class Declared:
    """`square` is of public, plaza and our roles; `stall` of any tenant's schema and role."""

    square: Reading
    stall: frozenset[StallLine]


@dataclass(frozen=True, slots=True)
class Unknown:
    """Prepare could not make it either, or a lock was not to be had: `reason` is PostgreSQL's."""

    reason: str


def declared_state(patient: Patient) -> Declared | Unknown:
    """Ask it by `patient.once`: it costs some tenths of a second."""
    try:
        return again_where_crossed(lambda: _rendered(patient))
    except psycopg.Error as error:
        return Unknown(str(error).partition("\n")[0])


def unreadable(patient: Patient) -> Iterator[Fault]:
    """Where this is found, no other check could compare what is there with what is declared."""
    declared = patient.once(declared_state)
    if isinstance(declared, Unknown):
        yield Fault(
            f"What is declared could not be made, so nothing was compared with it: {declared.reason}",
            "manage.py database prepare; its refusal says what is in the way. Then again.",
        )


def _rendered(patient: Patient) -> Declared:
    owner = patient.connection
    with owner.transaction(force_rollback=True):
        owner.execute(_PATIENCE)
        owner.execute("SELECT pg_advisory_xact_lock(%s)", [PREPARING])
        pattern = _pattern(patient)
        _clear(owner)
        render_roles(owner)
        render_rights(owner)
        return Declared(
            square=read(owner, roles=[*OURS], schemas=[*_SQUARE, "ext"]),
            stall=_render_stall(owner, pattern) if pattern else frozenset(),
        )


def _clear(owner: Owner) -> None:
    """Make room for everything that prepare makes."""
    there = "SELECT rolname::text FROM pg_roles WHERE rolname = ANY(%s)"
    for (role,) in owner.execute(there, [[*OURS]]).fetchall():
        owner.execute(f'ALTER ROLE "{role}" RENAME TO "{role}{_AWAY}"'.encode())
    there = "SELECT nspname::text FROM pg_namespace WHERE nspname = ANY(%s)"
    for (schema,) in owner.execute(there, [[*_SQUARE]]).fetchall():
        owner.execute(f'ALTER SCHEMA "{schema}" RENAME TO "{schema}{_AWAY}"'.encode())
    owner.execute("CREATE SCHEMA public")
    _copy(owner, of=f"public{_AWAY}", into="public", kinds=_PUBLIC_KINDS)


def _copy(owner: Owner, *, of: str, into: str, kinds: list[str]) -> None:
    copies = owner.execute(_COPIES, {"of": of, "into": into, "kinds": kinds}).fetchall()
    owner.execute("".join(statement for (statement,) in copies).encode() or b"SELECT")


def _pattern(patient: Patient) -> str:
    """A schema of which a tenant's is a copy: the template, else any; "" where there is none."""
    rows = patient.ask_of_stalls("""
        SELECT nspname::text FROM pg_namespace
         WHERE nspname = 'template' OR nspname IN (SELECT stall FROM stalls)
         ORDER BY nspname <> 'template', 1 LIMIT 1
    """)  # fmt: skip
    return str(rows[0][0]) if rows else ""


def _render_stall(owner: Owner, pattern: str) -> frozenset[StallLine]:
    schema = f"t_{new_id().hex}"
    owner.execute(f'CREATE SCHEMA "{schema}"'.encode())
    _copy(owner, of=pattern, into=schema, kinds=_STALL_KINDS)
    owner.execute(create_role_sql(schema).encode())
    if settings.PLAZA_CITUS:
        owner.execute(role_sql(schema).encode())
    return read_stall(owner, schema)
