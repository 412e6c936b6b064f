"""The role that owns everything and the database that it owns. Safe to repeat."""

import subprocess

from config.local.ports import HOST
from config.local.postgres_binaries import Binaries
from config.local.postgres_cluster import PLAIN_ENVIRONMENT, SUPERUSER
from config.local.trouble import Trouble

DATABASE = "plaza"
OWNER = "plaza_owner"

# CREATEDB: tests make databases. CREATEROLE: each tenant has a role of its own.
# Extensions need nothing here: all that Plaza uses are trusted, so their database's owner may
# create them.
_SQL = """
SELECT 'CREATE ROLE {owner}' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = '{owner}') \\gexec
ALTER ROLE {owner} LOGIN CREATEDB CREATEROLE PASSWORD '{password}';
SELECT 'CREATE DATABASE {database} OWNER {owner}'
 WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = '{database}') \\gexec
"""


def prepare_database(binaries: Binaries, port: int, secrets: dict[str, str]) -> None:
    """Make what is missing. The statements go in by stdin: arguments are visible to everyone.

    Raises Trouble when the superuser's password is not the one the data were made with.
    """
    sql = _SQL.format(owner=OWNER, database=DATABASE, password=secrets["postgres_owner_password"])
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
