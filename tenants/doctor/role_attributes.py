"""The roles themselves: what each may do by its attributes, and of which roles it is a member."""

from collections.abc import Iterator
from uuid import UUID

from django.conf import settings

from tenants.doctor import on_citus
from tenants.doctor.findings import Fault, Patient, by_sql
from tenants.roles import GROUP, KEEPER, LOOKUP, SQUARE, WEB

_SIGN_INS = [WEB, SQUARE]
_OTHERS = [LOOKUP, GROUP, KEEPER]
_MIGHTS = {
    "rolsuper": "SUPERUSER",
    "rolbypassrls": "BYPASSRLS",
    "rolcreaterole": "CREATEROLE",
    "rolcreatedb": "CREATEDB",
    "rolreplication": "REPLICATION",
}


def missing(patient: Patient) -> Iterator[Fault]:
    wanted = [*_SIGN_INS, *_OTHERS]
    found = {name for (name,) in patient.ask("SELECT rolname FROM pg_roles")}
    for role in wanted:
        if role not in found:
            yield Fault(f"The role {role} does not exist.", cure="manage.py database prepare")


def too_mighty(patient: Patient) -> Iterator[Fault]:
    rows = patient.ask_of_stalls("""
        SELECT rolname, stalls.id, rolsuper, rolbypassrls, rolcreaterole, rolcreatedb, rolreplication
          FROM pg_roles LEFT JOIN stalls ON stall = rolname
         WHERE (stalls.id IS NOT NULL OR rolname = ANY(%(ours)s))
           AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
         ORDER BY 1
    """, ours=[*_SIGN_INS, *_OTHERS])  # fmt: skip
    for role, tenant_id, *flags in rows:
        mights = [word for word, has in zip(_MIGHTS.values(), flags, strict=True) if has]
        yield by_sql(
            f"The role {role} has {', '.join(mights)}.",
            f'ALTER ROLE "{role}" {" ".join("NO" + might for might in mights)};',
            tenant_id,
        )


def wrong_sign_in(patient: Patient) -> Iterator[Fault]:
    """Who may sign in: the roles that the settings name; a tenant's only where they ask for it."""
    sign_ins = {settings.DATABASE_WEB["USER"], settings.DATABASE_SQUARE["USER"]} & {*_SIGN_INS}
    if settings.PLAZA_DB_LOGIN == "tenant":
        sign_ins.add(LOOKUP)  # nobody takes a role there: without it no request finds its tenant
    if on_citus.is_on():
        sign_ins.add(KEEPER)  # it reaches the nodes, as tenants' roles do (preparing.render_roles)
    tenants_sign_in = settings.PLAZA_DB_LOGIN == "tenant" or on_citus.is_on()
    never = [role for role in _OTHERS if role not in sign_ins]
    rows = patient.ask_of_stalls("""
        SELECT rolname, stalls.id, rolcanlogin FROM pg_roles LEFT JOIN stalls ON stall = rolname
         WHERE stalls.id IS NOT NULL AND rolcanlogin <> %(stalls)s
            OR rolname = ANY(%(never)s) AND rolcanlogin
            OR rolname = ANY(%(sign_ins)s) AND NOT rolcanlogin
         ORDER BY 1
    """, stalls=tenants_sign_in, never=never, sign_ins=[*sign_ins])  # fmt: skip
    for role, tenant_id, can_sign_in in rows:
        what = f"The role {role} may {'' if can_sign_in else 'not '}sign in."
        if can_sign_in:
            yield by_sql(what, f'ALTER ROLE "{role}" NOLOGIN;', tenant_id)
        else:
            yield Fault(what, "manage.py database prepare", tenant_id)


def inheriting(patient: Patient) -> Iterator[Fault]:
    """A sign-in that inherits has every tenant's rights at once, without taking a role."""
    rows = patient.ask(
        "SELECT rolname FROM pg_roles WHERE rolname = ANY(%(ours)s) AND rolinherit ORDER BY 1",
        ours=_SIGN_INS,
    )
    for (role,) in rows:
        yield by_sql(f"The sign-in {role} inherits.", f'ALTER ROLE "{role}" NOINHERIT;')
    # PostgreSQL 16 keeps it for each membership (before, the column is not there and the role rules).
    members = patient.ask("""
        SELECT child.rolname, parent.rolname
          FROM pg_auth_members AS m
          JOIN pg_roles AS child ON child.oid = m.member JOIN pg_roles AS parent ON parent.oid = m.roleid
         WHERE child.rolname = ANY(%(ours)s) AND (to_jsonb(m) ->> 'inherit_option')::boolean
         ORDER BY 1, 2
    """, ours=_SIGN_INS)  # fmt: skip
    for child, parent in members:
        yield by_sql(
            f"The sign-in {child} inherits the rights of {parent}.",
            f'GRANT "{parent}" TO "{child}" WITH INHERIT FALSE;',
            _tenant_of(parent),
        )


def foreign_members(patient: Patient) -> Iterator[Fault]:
    """A tenant's role is a member of the group alone, and only the web's sign-in may take it."""
    rows = patient.ask_of_stalls("""
        SELECT child.rolname, parent.rolname
          FROM pg_auth_members AS m
          JOIN pg_roles AS child ON child.oid = m.member JOIN pg_roles AS parent ON parent.oid = m.roleid
         WHERE child.rolname IN (SELECT stall FROM stalls) AND parent.rolname <> %(group)s
            OR parent.rolname IN (SELECT stall FROM stalls)
               AND child.rolname NOT IN (%(web)s, current_user) AND NOT child.rolsuper
            OR child.rolname = ANY(%(sign_ins)s) AND parent.rolname <> ALL(%(takes)s)
               AND parent.rolname !~ '^t_[0-9a-f]{32}$'
         ORDER BY 1, 2
    """, group=GROUP, web=WEB, sign_ins=_SIGN_INS, takes=[LOOKUP, SQUARE])  # fmt: skip
    for child, parent in rows:
        yield by_sql(
            f"The role {child} is a member of {parent}.",
            f'REVOKE "{parent}" FROM "{child}";',
            _tenant_of(child) or _tenant_of(parent),
        )


def missing_members(patient: Patient) -> Iterator[Fault]:
    """Without these a tenant's requests fail: in the group, and to be taken by the web's sign-in."""
    rows = patient.ask_of_stalls("""
        SELECT pair.child, pair.parent
          FROM stalls JOIN pg_roles AS own ON own.rolname = stall
         CROSS JOIN LATERAL (VALUES (stall, %(group)s), (%(web)s, stall)) AS pair (child, parent)
         WHERE pair.child IN (SELECT rolname FROM pg_roles)
           AND NOT EXISTS (
            SELECT FROM pg_auth_members AS m
              JOIN pg_roles AS c ON c.oid = m.member JOIN pg_roles AS p ON p.oid = m.roleid
             WHERE c.rolname = pair.child AND p.rolname = pair.parent)
         ORDER BY 1, 2
    """, group=GROUP, web=WEB)  # fmt: skip
    for child, parent in rows:
        if settings.PLAZA_DB_LOGIN == "tenant" and child == WEB:
            continue  # a tenant signs in by itself there
        yield by_sql(
            f"The role {child} is no member of {parent}.",
            f'GRANT "{parent}" TO "{child}";',
            _tenant_of(child) or _tenant_of(parent),
        )


def _tenant_of(role: str) -> UUID | None:
    return UUID(role[2:]) if role.startswith("t_") else None
