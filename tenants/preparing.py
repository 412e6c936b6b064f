"""`manage.py database prepare`, its first half: the roles; again and again harmless.

The owner does it, after each migration of the square. What only a superuser may do (take `set_config`,
plpgsql and the catalogs from PUBLIC) is done where it may, and else told as SQL.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

import psycopg
from django.conf import settings
from psycopg import sql

from config.closed_catalogs import close_sql, open_sql
from config.rights import CLOSED_FUNCTIONS
from tenants.crossing import again_where_crossed
from tenants.engine.owner import owner_connection
from tenants.roles import (
    GROUP,
    KEEPER,
    LOOKUP,
    PREPARING,
    SQUARE,
    WEB,
    create_role_sql,
    sign_in_sql,
)

# Besides the owner: who may call CLOSED_FUNCTIONS, and who may write functions in plpgsql.
CALLERS: tuple[str, ...] = ()
SPEAKERS = (KEEPER,)
Owner = psycopg.Connection[tuple[Any, ...]]


@dataclass(slots=True)
class Prepared:
    """What remains for a superuser: statements, in order."""

    lacking: list[str] = field(default_factory=list)


def prepare_roles() -> Prepared:
    """The roles, and what belongs to the database as a whole. Before the first migration."""
    with owner_connection() as owner:
        owner.execute("SELECT pg_advisory_lock(%s)", [PREPARING])
        return again_where_crossed(lambda: _prepared(owner))


def _prepared(owner: Owner) -> Prepared:
    render_roles(owner)
    _make_missing_roles(owner)
    _change_sign_ins(owner)
    return Prepared(lacking=list(_superusers_part(owner)))


def render_roles(owner: Owner) -> None:
    """The installation's own roles, in the transaction of `owner`; the doctor reads them there."""
    known = {name for (name,) in owner.execute("SELECT rolname FROM pg_roles").fetchall()}
    for name, attributes in (
        (GROUP, "NOLOGIN"),
        (LOOKUP, "NOLOGIN"),
        (KEEPER, "NOLOGIN"),
        (WEB, "NOLOGIN NOINHERIT"),
        (SQUARE, "NOLOGIN NOINHERIT"),
    ):
        if name not in known:
            owner.execute(f"CREATE ROLE {name} {attributes}")
    for given in (settings.DATABASE_WEB, settings.DATABASE_SQUARE):
        if given["USER"] in {WEB, SQUARE}:
            owner.execute(
                sql.SQL("ALTER ROLE {} LOGIN NOINHERIT PASSWORD {}").format(
                    sql.Identifier(given["USER"]), sql.Literal(given["PASSWORD"])
                )
            )
    if settings.PLAZA_DB_LOGIN == "tenant":  # the cluster's: another database may sign in by it
        owner.execute(sign_in_sql(LOOKUP).encode())
    # The sealer adds to tenants' trails, and a node is reached as the current role (citus.role_sql).
    keepers = "LOGIN PASSWORD NULL" if settings.PLAZA_CITUS else "NOLOGIN"
    owner.execute(f"ALTER ROLE {KEEPER} {keepers}")
    owner.execute(f"ALTER ROLE {SQUARE} SET search_path = public, ext")
    database = sql.Identifier(owner.info.dbname)
    signing_in = f"{WEB}, {SQUARE}, {LOOKUP}, {GROUP}"
    owner.execute(sql.SQL(f"GRANT CONNECT ON DATABASE {{}} TO {signing_in}").format(database))
    owner.execute(f"GRANT {LOOKUP} TO {WEB}")
    owner.execute(f"GRANT {KEEPER} TO CURRENT_USER")
    if settings.DATABASE_WEB == settings.DATABASE_OWNER:
        # One sign-in for everything: it takes the others' roles.
        owner.execute(f"GRANT {WEB}, {SQUARE}, {LOOKUP} TO CURRENT_USER")


def _make_missing_roles(owner: Owner) -> None:
    """Of tenants from before they had roles, or restored from a dump without them."""
    missing = owner.execute(
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'"
        " AND NOT EXISTS (SELECT FROM pg_roles WHERE rolname = nspname)"
    ).fetchall()
    for (schema,) in missing:
        owner.execute(create_role_sql(schema).encode())


def _change_sign_ins(owner: Owner) -> None:
    """After `PLAZA_DB_LOGIN` was changed: every tenant's role may sign in, or none."""
    may_sign_in = settings.PLAZA_DB_LOGIN == "tenant"
    changed = owner.execute(
        "SELECT rolname::text FROM pg_roles JOIN pg_namespace ON nspname = rolname"
        " WHERE rolname ~ '^t_[0-9a-f]{32}$' AND rolcanlogin <> %s",
        [may_sign_in],
    ).fetchall()
    for (role,) in changed:
        owner.execute(sign_in_sql(role, path=role).encode())


def _superusers_part(owner: Owner) -> Iterable[str]:
    """Do it, or tell it."""
    me = owner.info.user
    functions = ", ".join(f"pg_catalog.{name}" for name in CLOSED_FUNCTIONS)
    # Earlier releases gave them to both sign-ins. Who has PUBLIC's rights is told by either.
    is_any_open = " OR ".join(
        f"has_function_privilege('{role}', 'pg_catalog.{name}', 'execute')"
        for role in (WEB, SQUARE)
        for name in CLOSED_FUNCTIONS
    )
    wanted = (
        (
            is_any_open,
            f"REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC, {WEB}, {SQUARE};"
            f" GRANT EXECUTE ON FUNCTION {functions} TO {me};",
        ),
        (
            "has_language_privilege('public', 'plpgsql', 'usage')",
            f"REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC; GRANT USAGE ON LANGUAGE plpgsql TO {', '.join((me, *SPEAKERS))};",
        ),
        (
            "has_database_privilege('public', current_database(), 'temp')",
            f"REVOKE ALL ON DATABASE {_quoted(owner.info.dbname)} FROM PUBLIC;",
        ),
        (f"EXISTS ({open_sql(owner=me, square=SQUARE)})", close_sql(owner=me, square=SQUARE)),
    )
    for is_open, statement in wanted:
        try:
            with owner.transaction():
                if owner.execute(f"SELECT {is_open}").fetchone() == (True,):
                    owner.execute(statement)  # ours to the letter
                still_open = owner.execute(f"SELECT {is_open}").fetchone() == (True,)
        except psycopg.errors.InsufficientPrivilege:
            still_open = True
        if still_open:
            yield statement


def _quoted(name: str) -> str:
    return '"' + name.replace('"', '""') + '"'
