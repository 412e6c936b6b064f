"""What a schema has, as short as can be compared: its migrations, and the names of its constraints and indexes.

SQL recorded in one schema fits another only where both have the same migrations and the same names:
Django drops what it finds by introspection, and `DROP INDEX IF EXISTS` of another name says nothing.
"""

from tenants.fleet.ledger import Owner

Key = tuple[str, str]  # of a migration: (app label, name)
# Not-null constraints, which PostgreSQL 18 names,
# are left out: nothing refers to them by name.
_NAMES = """
WITH place AS (SELECT oid, nspname FROM pg_namespace WHERE nspname = ANY(%s)),
made AS (
    SELECT nspname, held.relname, conname, contype, convalidated, conindid
    FROM pg_constraint
    JOIN pg_class AS held ON held.oid = conrelid
    JOIN place ON place.oid = held.relnamespace
    WHERE contype IN ('p', 'u', 'x', 'c', 'f')
),
entry AS (
    SELECT nspname, CASE WHEN contype = 'f' OR NOT convalidated THEN 'foreign key ' ELSE 'constraint ' END
        || quote_ident(relname) || '.' || quote_ident(conname) AS text
    FROM made
    UNION ALL
    SELECT place.nspname, CASE WHEN indisvalid THEN 'index ' ELSE 'invalid index ' END || quote_ident(relname)
    FROM pg_index
    JOIN pg_class ON pg_class.oid = indexrelid
    JOIN place ON place.oid = relnamespace
    WHERE indexrelid NOT IN (SELECT conindid FROM made WHERE contype IN ('p', 'u', 'x'))
)
SELECT nspname, md5(string_agg(text, E'\\n' ORDER BY text COLLATE "C")) FROM entry GROUP BY nspname
"""
_WITH_MIGRATIONS = """
SELECT nspname FROM pg_class JOIN pg_namespace AS place ON place.oid = relnamespace
WHERE relname = 'django_migrations' AND relkind = 'r' AND nspname = ANY(%s)
"""


def fingerprints(owner: Owner, schemas: list[str]) -> dict[str, str]:
    """{schema: hash of the names of its constraints and indexes}. One pass over the catalog."""
    return {str(schema): str(found) for schema, found in owner.execute(_NAMES, [schemas])}


def applied(owner: Owner, schemas: list[str]) -> dict[str, frozenset[Key]]:
    """{schema: the migrations that it has}; a schema without a list of migrations is left out."""
    there = sorted(str(row[0]) for row in owner.execute(_WITH_MIGRATIONS, [schemas]))
    found: dict[str, set[Key]] = {schema: set() for schema in there}
    if there:
        parts = [
            f"SELECT '{schema}', app, name FROM \"{schema}\".django_migrations"  # noqa: S608
            for schema in there
        ]
        for schema, app, name in owner.execute(" UNION ALL ".join(parts).encode()):
            found[schema].add((app, name))
    return {schema: frozenset(keys) for schema, keys in found.items()}
