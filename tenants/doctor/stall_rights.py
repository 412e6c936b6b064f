"""What tenants' roles may in their own schemas: what a tenant that is made now may, and no more."""

from collections.abc import Iterator
from dataclasses import dataclass
from uuid import UUID

from tenants.doctor.declared import Declared, declared_state
from tenants.doctor.findings import Fault, Patient, by_sql
from tenants.doctor.stall_readings import StallLine, read_stalls
from tenants.roles import create_role_sql, quoted

_RELATIONS = frozenset({"table", "sequence"})
_RIGHTS = _RELATIONS | {"schema", "column", "default"}
_SHOWN = 3


@dataclass(frozen=True, slots=True)
class Odd:
    """How one tenant's role differs from a new one's."""

    schema: str
    too_much: list[StallLine]
    too_little: list[StallLine]

    @property
    def tenant_id(self) -> UUID:
        return UUID(self.schema[2:])

    def of(self, kinds: frozenset[str]) -> "Odd":
        much, little = (
            [line for line in lines if line.kind in kinds]
            for lines in (self.too_much, self.too_little)
        )
        return Odd(self.schema, much, little)


def missing(patient: Patient) -> Iterator[Fault]:
    """Rights of its own that the tenant lacks: made past the default privileges, or taken away."""
    for odd in _odd_in(patient, _RIGHTS):
        if odd.too_little:
            yield by_sql(
                f"The role {odd.schema} lacks rights of its own: {_shown(odd.too_little)}.",
                create_role_sql(odd.schema).strip(),
                odd.tenant_id,
            )


def excessive(patient: Patient) -> Iterator[Fault]:
    """More than its rows: to say which migrations are done, to make tables, to hand its rights on."""
    for odd in _odd_in(patient, _RIGHTS):
        if odd.too_much:
            yield by_sql(
                f"The role {odd.schema} has more than its rows: {_shown(odd.too_much)}.",
                f"{_take_back(odd)}\n{create_role_sql(odd.schema).strip()}",
                odd.tenant_id,
            )


def settings(patient: Patient) -> Iterator[Fault]:
    """A setting of the tenant's role holds from its sign-in on, and its path decides what it reads."""
    for odd in _odd_in(patient, frozenset({"setting"})):
        name = quoted(odd.schema)
        resets = {f"ALTER ROLE {name} {line.thing} RESET ALL;" for line in odd.too_much}
        yield by_sql(
            f"The role {odd.schema} has not a new role's settings: {_told(odd)}.",
            "\n".join([*sorted(resets), create_role_sql(odd.schema).strip()]),
            odd.tenant_id,
        )


def memberships(patient: Patient) -> Iterator[Fault]:
    """With ADMIN a member lets others in; without SET nobody can be the tenant."""
    for odd in _odd_in(patient, frozenset({"member"})):
        pairs = [
            line.thing.replace("{stall}", quoted(odd.schema)).partition(" TO ")
            for line in odd.too_much
        ]
        if pairs:  # one that is missing altogether: `role_without_group`
            yield by_sql(
                f"The role {odd.schema} has memberships of another kind: {_told(odd)}.",
                "\n".join(
                    f"REVOKE {parent} FROM {child}; GRANT {parent} TO {child};"
                    for parent, _, child in pairs
                ),
                odd.tenant_id,
            )


def limits(patient: Patient) -> Iterator[Fault]:
    """A tenant's role that inherits not has no right of the group's; one with limits fails by and by."""
    for odd in _odd_in(patient, frozenset({"attribute"})):
        yield by_sql(
            f"The role {odd.schema} is limited: {_told(odd)}.",
            f"ALTER ROLE {quoted(odd.schema)} {odd.too_little[0].detail};",
            odd.tenant_id,
        )


def _odd_in(patient: Patient, kinds: frozenset[str]) -> Iterator[Odd]:
    for odd in patient.once(_all_odd):
        some = odd.of(kinds)
        if some.too_much or some.too_little:
            yield some


def _all_odd(patient: Patient) -> list[Odd]:
    declared = patient.once(declared_state)
    if not isinstance(declared, Declared) or not declared.stall:
        return []
    rows = patient.ask_of_stalls("""
        SELECT DISTINCT stall FROM stalls
          JOIN pg_namespace ON nspname = stall JOIN pg_roles ON rolname = stall ORDER BY 1
    """)  # fmt: skip
    return _compared([str(schema) for (schema,) in rows], patient, declared.stall)


def _compared(schemas: list[str], patient: Patient, wanted: frozenset[StallLine]) -> list[Odd]:
    everybody = frozenset(schemas)
    found = {
        line: everybody if having is None else having
        for line, having in read_stalls(patient.connection, schemas).items()
    }
    # Of a table that a schema has too much, or not yet, drift and versions tell.
    known = {line.thing for line in wanted if line.kind == "is there"}
    having_it = {line.thing: having for line, having in found.items() if line.kind == "is there"}
    odd = {schema: Odd(schema, [], []) for schema in schemas}
    for line in sorted(found.keys() - wanted):
        if line.kind not in _RELATIONS or line.thing in known:
            for schema in found[line]:
                odd[schema].too_much.append(line)
    for line in sorted(wanted):
        asked = having_it.get(line.thing, frozenset()) if line.kind in _RELATIONS else everybody
        for schema in asked - found.get(line, frozenset()):
            odd[schema].too_little.append(line)
    return [one for one in odd.values() if one.too_much or one.too_little]


def _take_back(odd: Odd) -> str:
    """SQL that takes every right of the schema from its own role; `create_role_sql` gives what it is to have."""
    name = quoted(odd.schema)
    taken = [
        f"REVOKE ALL ON {things} IN SCHEMA {name} FROM {name};"
        for things in ("ALL TABLES", "ALL SEQUENCES")
    ]
    taken.append(f"REVOKE ALL ON SCHEMA {name} FROM {name};")
    for line in odd.too_much:
        if line.kind == "default":
            things, _, maker = line.thing.partition(" OF ")
            grantee = line.detail.partition(":")[0].replace("{stall}", odd.schema)
            whose = "PUBLIC" if grantee == "PUBLIC" else f'"{grantee}"'
            taken.append(
                f'ALTER DEFAULT PRIVILEGES FOR ROLE "{maker}" IN SCHEMA {name}'
                f" REVOKE ALL ON {things} FROM {whose};"
            )
    return "\n".join(taken)


def _shown(lines: list[StallLine]) -> str:
    """The first few things, each with its rights: SELECT, UPDATE on table crm_contact; …"""
    held: dict[str, list[str]] = {}
    for line in lines:
        held.setdefault(f"{line.kind} {line.thing}".strip(), []).append(line.detail)
    told = [f"{', '.join(details)} on {thing}" for thing, details in held.items()]
    more = f" and {len(told) - _SHOWN} more" if len(told) > _SHOWN else ""
    return "; ".join(told[:_SHOWN]) + more


def _told(odd: Odd) -> str:
    has = ", ".join(f"{line.thing} {line.detail}".strip() for line in odd.too_much)
    lacks = ", ".join(f"{line.thing} {line.detail}".strip() for line in odd.too_little)
    return "; ".join(
        [*([f"has {has}"] if has else []), *([f"should have {lacks}"] if lacks else [])]
    )
