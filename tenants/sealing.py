"""Functions and triggers of the square, as the packages declare them (`rights.py`)."""

from importlib import import_module
from importlib.util import find_spec
from typing import Any

import psycopg
from django.apps import apps
from django.conf import settings

from config.rights import Function, Trigger
from tenants.roles import GROUP, KEEPER, SQUARE

Owner = psycopg.Connection[tuple[Any, ...]]
_CHECK_SEAL = """
CREATE OR REPLACE FUNCTION plaza.check_seal(seal text, VARIADIC parts text[])
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    message text := array_to_string(parts, E'\\x1f', E'\\x1e');
BEGIN
    IF NOT EXISTS (
        SELECT FROM plaza.seal_key AS known
         WHERE check_seal.seal = encode(sha256(convert_to(known.key, 'UTF8')
               || sha256(convert_to(known.key || message, 'UTF8'))), 'hex')
    ) THEN
        RAISE insufficient_privilege USING MESSAGE = 'the seal is not ours';
    END IF;
END $$;
"""
# `role` is what SET ROLE said also inside a function of another owner, where current_user is that owner.
_CHECK_TENANT = """
CREATE OR REPLACE FUNCTION plaza.check_tenant(tenant uuid)
RETURNS void LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp AS $$
DECLARE
    caller text := coalesce(nullif(current_setting('role'), 'none'), session_user::text);
BEGIN
    IF caller ~ '^t_[0-9a-f]{32}$' AND substr(caller, 3)::uuid IS DISTINCT FROM tenant THEN
        RAISE insufficient_privilege USING MESSAGE = 'another tenant''s usage';
    END IF;
END $$;
"""
_CHECKS = (
    (_CHECK_SEAL, "check_seal(text, text[])"),
    (_CHECK_TENANT, "check_tenant(uuid)"),
)


def declared(name: str) -> list[Any]:
    """What every installed package declares under `name` in its `rights.py`."""
    found: list[Any] = []
    for config in apps.get_app_configs():
        if find_spec(f"{config.name}.rights") is not None:
            found.extend(getattr(import_module(f"{config.name}.rights"), name, ()))
    return found


def make_functions(owner: Owner) -> None:
    owner.execute("CREATE TABLE IF NOT EXISTS plaza.seal_key (key text PRIMARY KEY)")
    owner.execute(f"GRANT SELECT ON plaza.seal_key TO {KEEPER}")
    owner.execute("DELETE FROM plaza.seal_key WHERE key <> %s", [settings.PLAZA_DB_KEY])
    owner.execute(
        "INSERT INTO plaza.seal_key VALUES (%s) ON CONFLICT DO NOTHING", [settings.PLAZA_DB_KEY]
    )
    for function, signature in _CHECKS:
        _make_function(owner, Function(signature, function))
    functions: list[Function] = declared("FUNCTIONS")
    for each in functions:
        _make_function(owner, each)
        if not each.is_inner:
            owner.execute(f"GRANT EXECUTE ON FUNCTION plaza.{each.signature} TO {SQUARE}, {GROUP}")


def _make_function(owner: Owner, function: Function) -> None:
    """The keeper's, whoever has it now; the owner makes it, for the keeper need not know plpgsql."""
    owner.execute(function.sql)
    owner.execute(f"ALTER FUNCTION plaza.{function.signature} OWNER TO {KEEPER}")
    owner.execute(f"REVOKE ALL ON FUNCTION plaza.{function.signature} FROM PUBLIC")


def make_triggers(owner: Owner) -> None:
    triggers: list[Trigger] = declared("TRIGGERS")
    for each in triggers:
        # Who makes a trigger must be allowed its function; whoever sets it off need not.
        owner.execute(f"GRANT EXECUTE ON FUNCTION plaza.{each.function}() TO CURRENT_USER".encode())
        owner.execute(f"DROP TRIGGER IF EXISTS {each.name} ON public.{each.table}".encode())
        owner.execute(each.sql.encode())
