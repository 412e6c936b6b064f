"""Whether each tenant's schema is what the template's is: the same columns, constraints, indexes and functions."""

from collections.abc import Iterable, Iterator
from typing import Any, LiteralString
from uuid import UUID

from tenants.doctor.findings import Fault, Patient

_SHOWN = 3
# One line for each thing in a schema, without the schema's name; equal lines are counted together, so
# that a thousand equal schemas come back as nothing. The schema's name is dropped from definitions.
_LINES: LiteralString = r"""
WITH place AS (
    SELECT n.oid, n.nspname FROM pg_namespace AS n
     WHERE n.nspname = %(template)s OR n.nspname = ANY(%(schemas)s)
), line AS (
    SELECT place.nspname, 'column ' || c.relname || '.' || a.attname || ' '
           || format_type(a.atttypid, a.atttypmod) || CASE WHEN a.attnotnull THEN ' not null' ELSE '' END
           || CASE a.attidentity WHEN '' THEN '' ELSE ' identity' END
           || coalesce(' default ' || pg_get_expr(d.adbin, d.adrelid), '') AS text
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid AND c.relkind IN ('r', 'p', 'v')
      JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
      LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
    UNION ALL
    SELECT place.nspname, 'constraint ' || t.conrelid::regclass::text || ' ' || t.conname || ' '
           || pg_get_constraintdef(t.oid) || CASE WHEN t.convalidated THEN '' ELSE ' not valid' END
      FROM place JOIN pg_constraint AS t ON t.connamespace = place.oid AND t.contype <> 'n'
    UNION ALL
    SELECT place.nspname, 'index ' || pg_get_indexdef(i.indexrelid)
           || CASE WHEN i.indisvalid THEN '' ELSE ' invalid' END
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid AND c.relkind = 'i'
      JOIN pg_index AS i ON i.indexrelid = c.oid
    UNION ALL
    SELECT place.nspname, 'trigger ' || c.relname || ' ' || g.tgname
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid
      JOIN pg_trigger AS g ON g.tgrelid = c.oid AND NOT g.tgisinternal
    UNION ALL
    SELECT place.nspname, 'function ' || pg_get_functiondef(p.oid)
      FROM place JOIN pg_proc AS p ON p.pronamespace = place.oid AND p.prokind IN ('f', 'p')
    UNION ALL
    SELECT place.nspname, 'view ' || c.relname || coalesce(' ' || c.reloptions::text, '') || pg_get_viewdef(c.oid)
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid AND c.relkind IN ('v', 'm')
    UNION ALL
    SELECT place.nspname, 'row security of ' || c.relname FROM place
      JOIN pg_class AS c ON c.relnamespace = place.oid AND (c.relrowsecurity OR c.relforcerowsecurity)
    UNION ALL
    SELECT place.nspname, 'policy ' || c.relname || '.' || p.polname FROM place
      JOIN pg_class AS c ON c.relnamespace = place.oid JOIN pg_policy AS p ON p.polrelid = c.oid
), bare AS (
    -- As a word: the schema `template` is not the end of the table `content_template`.
    SELECT nspname, regexp_replace(text, '("|\m)' || nspname || '"?\.', '', 'g') AS text FROM line
)
SELECT text, array_agg(DISTINCT nspname::text) FROM bare
 GROUP BY text HAVING count(DISTINCT nspname) < (SELECT count(*) FROM place)
 ORDER BY text
"""
# Those that ought to be equal now: one behind or in the middle is told by another check.
_COMPARED: LiteralString = """
SELECT t.schema_name, t.id, t.slug FROM public.tenants_tenant AS t
 WHERE t.status NOT IN ('provisioning', 'closed') AND t.migration_state = 'steady'
   AND (t.schema_version = %(version)s OR %(version)s = '')
   AND t.schema_name IN (SELECT nspname FROM pg_namespace)
 UNION ALL
SELECT 't_' || replace(r.id::text, '-', ''), r.id, 'a ready schema' FROM public.tenants_readyschema AS r
 WHERE r.version = %(version)s
   AND 't_' || replace(r.id::text, '-', '') IN (SELECT nspname FROM pg_namespace)
"""
_NEWEST: LiteralString = """
SELECT version FROM public.tenants_template ORDER BY made_at DESC LIMIT 1
"""


def drifted(patient: Patient, *, template: str = "template") -> Iterator[Fault]:
    """Compares with the schema `template`; without one, with what most schemas have."""
    versions = patient.ask(_NEWEST)
    compared = patient.ask(_COMPARED, version=versions[0][0] if versions else "")
    schemas = [schema for schema, *_ in compared]
    different = patient.ask(_LINES, template=template, schemas=schemas)
    has_template = bool(patient.ask(
        "SELECT FROM pg_namespace WHERE nspname = %(template)s", template=template
    ))  # fmt: skip
    for schema, lines in _differences(different, schemas, template if has_template else ""):
        tenant_id, name = _named(compared, schema)
        more = f" and {len(lines) - _SHOWN} more" if len(lines) > _SHOWN else ""
        yield Fault(
            f"The schema of {name} differs: {'; '.join(lines[:_SHOWN])}{more}.",
            "Bring the schema to the template's by hand, in SQL; then `manage.py tenant doctor` again.",
            tenant_id,
        )


def _differences(
    rows: Iterable[tuple[Any, ...]], schemas: list[str], template: str
) -> Iterator[tuple[str, list[str]]]:
    """(schema, what it lacks or has too much), from lines that not every schema has."""
    found: dict[str, list[str]] = {}
    for line, owners in rows:
        having = set(owners)
        expected = template in having if template else len(having) * 2 > len(schemas)
        for schema in schemas:
            if (schema in having) != expected:
                found.setdefault(schema, []).append(("lacks " if expected else "has ") + line)
    for schema in sorted(found):
        # What the others have tells more than what is there instead.
        yield schema, sorted(found[schema], reverse=True)


def _named(compared: Iterable[tuple[Any, ...]], schema: str) -> tuple[UUID, str]:
    return next((tenant_id, name) for found, tenant_id, name in compared if found == schema)
