"""The roles of PostgreSQL that keep the wall: who may sign in as what, and what each may touch.

The owner makes them (`manage.py database prepare`). A tenant's role is named as its schema.
"""

import hashlib
import hmac
import re

from django.conf import settings

GROUP = "plaza_tenants"
WEB = "plaza_web"
SQUARE = "plaza_square"
LOOKUP = "plaza_lookup"
KEEPER = "plaza_keeper"
# The installation's own; besides them there is a role for each tenant.
SIGN_INS = (WEB, SQUARE)
OURS = (*SIGN_INS, LOOKUP, GROUP, KEEPER)
# The advisory lock of who prepares: two at once wait for each other.
PREPARING = 0x706C617A61
_STALL = re.compile(r"t_[0-9a-f]{32}")


class NotAStall(ValueError):
    """The name is not that of a tenant's schema, so it must not come into a statement."""


def quoted(schema: str) -> str:
    """A tenant's schema (and role) as an identifier. Raises NotAStall for anything else."""
    if not _STALL.fullmatch(schema):
        raise NotAStall(f"{schema!r} is no tenant's schema.")
    return f'"{schema}"'


def create_role_sql(schema: str) -> str:
    """SQL, for the owner and safe to repeat: the tenant's role, with rights on its own schema alone."""
    name = quoted(schema)
    return f"""
DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}') THEN
        CREATE ROLE {name} NOLOGIN;
    END IF;
END $$;
{sign_in_sql(schema, path=schema)}
GRANT {GROUP} TO {name};
GRANT {name} TO {WEB};
GRANT USAGE ON SCHEMA {name} TO {name};
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA {name} TO {name};
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA {name} TO {name};
ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO {name};
ALTER DEFAULT PRIVILEGES IN SCHEMA {name} GRANT USAGE, SELECT ON SEQUENCES TO {name};
{close_history_sql(schema)}
{close_trail_sql(schema)}
"""


def close_history_sql(schema: str) -> str:
    """SQL, for the owner and safe to repeat: which migrations a schema has is not the tenant's to say.

    The owner believes that table when it migrates and exports; nothing reads it as the tenant.
    """
    name = quoted(schema)
    return f"""
DO $$ BEGIN
    IF to_regclass('{name}.django_migrations') IS NOT NULL THEN
        REVOKE ALL ON {name}.django_migrations FROM {name};
    END IF;
    IF to_regclass('{name}.django_migrations_id_seq') IS NOT NULL THEN
        REVOKE ALL ON SEQUENCE {name}.django_migrations_id_seq FROM {name};
    END IF;
END $$;
""".strip()


def close_trail_sql(schema: str) -> str:
    """SQL, for the owner and safe to repeat: the tenant reads its audit trail, and the keeper adds to it.

    The migration that makes the table says the same, for tenants from before it.
    """
    name = quoted(schema)
    return f"""
DO $$ BEGIN
    IF to_regclass('{name}.trail_event') IS NOT NULL THEN
        REVOKE ALL ON {name}.trail_event FROM {name};
        GRANT SELECT ON {name}.trail_event TO {name};
        GRANT USAGE ON SCHEMA {name} TO {KEEPER};
        GRANT INSERT ON {name}.trail_event TO {KEEPER};
    END IF;
END $$;
""".strip()


def sign_in_sql(role: str, *, path: str = "") -> str:
    """SQL that lets a tenant's or the lookup role sign in by itself, or no more (`PLAZA_DB_LOGIN`)."""
    if settings.PLAZA_DB_LOGIN == "role":
        return f'ALTER ROLE "{role}" NOLOGIN;'
    schemas = ", ".join(f'"{name}"' for name in (path, "public", "ext") if name)
    return (
        # PostgreSQL lets a sign-in change its own password and settings: put them right.
        f'ALTER ROLE "{role}" RESET ALL;'
        f" ALTER ROLE \"{role}\" LOGIN PASSWORD '{password_of(role)}';"
        # Behind a transaction pooler a session's SET does not last; a role's own setting does.
        f' ALTER ROLE "{role}" SET search_path = {schemas};'
    )


def password_of(role: str) -> str:
    """That of a sign-in of a tenant's own: derived, so that nothing need be stored."""
    key = settings.PLAZA_DB_KEY.encode()
    return hmac.new(key, b"plaza.sign-in\n" + role.encode(), hashlib.sha256).hexdigest()


def drop_role_sql(schema: str) -> str:
    """SQL, for the owner and safe to repeat: the tenant's role goes, after its schema."""
    name = quoted(schema)
    return f"""
DO $$ BEGIN
    IF EXISTS (SELECT FROM pg_roles WHERE rolname = '{schema}') THEN
        -- Since PostgreSQL 16 who made a role has not its rights by itself, which DROP OWNED asks for.
        GRANT {name} TO CURRENT_USER;
        DROP OWNED BY {name};
        DROP ROLE {name};
    END IF;
END $$;
"""
