"""The sign-ins, the database, and what only a superuser may take from PUBLIC. Safe to repeat."""

import subprocess

from config.closed_catalogs import close_sql
from config.local.ports import HOST
from config.local.postgres_binaries import Binaries
from config.local.postgres_cluster import PLAIN_ENVIRONMENT, SUPERUSER
from config.local.trouble import Trouble
from config.rights import CLOSED_FUNCTIONS

DATABASE = "plaza"
OWNER = "plaza_owner"
WEB = "plaza_web"
SQUARE = "plaza_square"

# CREATEDB: tests make databases. CREATEROLE: each tenant has a role of its own.
# Extensions need nothing here: all that Plaza uses are trusted, so their database's owner may
# create them.
_SQL = """
SELECT 'CREATE ROLE {owner}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') \\gexec
ALTER ROLE {owner} LOGIN CREATEDB CREATEROLE PASSWORD '{password}';
-- The owner makes the other roles, so that it may grant them (tenants/preparing.py does the rest).
SET ROLE {owner};
SELECT format('CREATE ROLE %I NOLOGIN NOINHERIT', wanted.name)
  FROM (VALUES ('{web}'), ('{square}'), ('plaza_keeper')) AS wanted (name)
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = wanted.name) \\gexec
ALTER ROLE {web} LOGIN PASSWORD '{web_password}';
ALTER ROLE {square} LOGIN PASSWORD '{square_password}';
RESET ROLE;
SELECT 'CREATE DATABASE {database} OWNER {owner}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
"""
# Also in template1, from which tests make their databases. With plpgsql an injected statement could
# be a whole program.
_WALL = """
\\connect {database}
REVOKE EXECUTE ON FUNCTION {functions} FROM PUBLIC, {web}, {square};
GRANT EXECUTE ON FUNCTION {functions} TO {owner};
REVOKE USAGE ON LANGUAGE plpgsql FROM PUBLIC;
GRANT USAGE ON LANGUAGE plpgsql TO {owner}, plaza_keeper;
{catalogs}
"""


def prepare_database(binaries: Binaries, port: int, secrets: dict[str, str]) -> None:
    """Make what is missing. The statements go in by stdin: arguments are visible to everyone.

    Raises Trouble when the superuser's password is not the one the data were made with.
    """
    functions = ", ".join(f"pg_catalog.{name}" for name in CLOSED_FUNCTIONS)
    roles = {"owner": OWNER, "web": WEB, "square": SQUARE, "functions": functions}
    sql = _SQL.format(
        **roles,
        database=DATABASE,
        password=secrets["postgres_owner_password"],
        web_password=secrets["postgres_web_password"],
        square_password=secrets["postgres_square_password"],
    )
    roles["catalogs"] = close_sql(owner=OWNER, square=SQUARE)
    sql += "".join(_WALL.format(**roles, database=name) for name in ("template1", DATABASE))
    told = subprocess.run(
        [
            *(binaries.program("psql"), "--no-psqlrc", "--quiet", "--set=ON_ERROR_STOP=1"),
            *(f"--host={HOST}", f"--port={port}", f"--username={SUPERUSER}", "--dbname=postgres"),
        ],
        input=sql,
        env=PLAIN_ENVIRONMENT | {"PGPASSWORD": secrets["postgres_superuser_password"]},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if "password authentication failed" in told.stderr:
        raise Trouble(
            "secrets.json does not hold the password that PostgreSQL's data were made with.",
            todo="Restore that file, or forget all data with `make reset`.",
        )
    if told.returncode != 0:
        raise Trouble(f"PostgreSQL refused to make the database: {told.stderr.strip()}")
