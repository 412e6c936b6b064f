"""What PostgreSQL's catalogs say of tenants' schemas and roles, of all of them by one question.

A line names no tenant, so that a line which every one has comes back once, without their names.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

from tenants.roles import GROUP, WEB

Owner = psycopg.Connection[tuple[Any, ...]]


@dataclass(frozen=True, slots=True, order=True)
class StallLine:
    """`kind` is table, sequence, schema, column (rights), setting, member, attribute or default."""

    kind: str
    thing: str
    detail: str


# None: every schema that was asked about has the line.
Having = frozenset[str] | None
_LINES: LiteralString = """
WITH place AS (
    SELECT n.oid, n.nspname::text AS stall, r.oid AS role
      FROM pg_namespace AS n JOIN pg_roles AS r ON r.rolname = n.nspname WHERE n.nspname = ANY(%(schemas)s)
), line AS (
    SELECT stall, CASE relkind WHEN 'S' THEN 'sequence' ELSE 'table' END AS kind, c.relname::text AS thing,
           unnest(ARRAY[given.privilege_type] || CASE WHEN is_grantable THEN ARRAY[given.privilege_type || ' WITH GRANT OPTION'] END) AS detail
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid AND c.relkind IN ('r', 'p', 'S', 'v', 'm', 'f')
     CROSS JOIN LATERAL aclexplode(c.relacl) AS given WHERE given.grantee = place.role AND c.relowner <> place.role
    UNION ALL
    SELECT stall, 'is there', c.relname, '' FROM place JOIN pg_class AS c ON c.relnamespace = place.oid
     WHERE c.relkind IN ('r', 'p', 'S', 'v', 'm', 'f') AND c.relowner <> place.role  -- what it owns is told by `owner_wrong`
    UNION ALL
    SELECT stall, 'column', c.relname || '.' || a.attname, given.privilege_type
      FROM place JOIN pg_class AS c ON c.relnamespace = place.oid JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attacl IS NOT NULL
     CROSS JOIN LATERAL aclexplode(a.attacl) AS given WHERE given.grantee = place.role
    UNION ALL
    SELECT stall, 'schema', '', unnest(ARRAY[given.privilege_type] || CASE WHEN is_grantable THEN ARRAY[given.privilege_type || ' WITH GRANT OPTION'] END)
      FROM place JOIN pg_namespace AS n ON n.oid = place.oid CROSS JOIN LATERAL aclexplode(n.nspacl) AS given
     WHERE given.grantee = place.role
    UNION ALL
    SELECT stall, 'setting', CASE s.setdatabase WHEN 0 THEN '' ELSE 'IN DATABASE ' || quote_ident(current_database()) END,
           replace(setting, stall, '{stall}')
      FROM place JOIN pg_db_role_setting AS s ON s.setrole = place.role CROSS JOIN LATERAL unnest(s.setconfig) AS setting
     WHERE s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
    UNION ALL
    SELECT stall, 'member', CASE WHEN parent.oid = place.role THEN '{stall}' ELSE parent.rolname END
           || ' TO ' || CASE WHEN child.oid = place.role THEN '{stall}' ELSE child.rolname END,
           'admin ' || bool_or(m.admin_option) || coalesce(' set ' || bool_or((to_jsonb(m) ->> 'set_option')::boolean), '')
           || CASE child.rolname WHEN %(web)s THEN '' ELSE coalesce(' inherit ' || bool_or((to_jsonb(m) ->> 'inherit_option')::boolean), '') END
      FROM place JOIN pg_auth_members AS m ON place.role IN (m.member, m.roleid)
      JOIN pg_roles AS child ON child.oid = m.member JOIN pg_roles AS parent ON parent.oid = m.roleid
     WHERE child.rolname = %(web)s OR parent.rolname = %(group)s
     GROUP BY stall, place.role, parent.oid, parent.rolname, child.oid, child.rolname
    UNION ALL
    SELECT stall, 'attribute', '', CASE WHEN rolinherit THEN 'INHERIT' ELSE 'NOINHERIT' END || ' CONNECTION LIMIT ' || rolconnlimit
           || ' VALID UNTIL ' || quote_literal(coalesce(rolvaliduntil, 'infinity'))
      FROM place JOIN pg_roles AS r ON r.oid = place.role
    UNION ALL
    SELECT stall, 'default', CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'FUNCTIONS' ELSE 'TYPES' END
           || ' OF ' || pg_get_userbyid(d.defaclrole),
           CASE WHEN given.grantee = place.role THEN '{stall}' WHEN given.grantee = 0 THEN 'PUBLIC' ELSE pg_get_userbyid(given.grantee) END
           || ': ' || given.privilege_type || CASE WHEN is_grantable THEN ' WITH GRANT OPTION' ELSE '' END
      FROM place JOIN pg_default_acl AS d ON d.defaclnamespace = place.oid CROSS JOIN LATERAL aclexplode(d.defaclacl) AS given
)
SELECT kind, thing, detail,
       CASE WHEN count(DISTINCT stall) < (SELECT count(*) FROM place) THEN array_agg(DISTINCT stall) END
  FROM line GROUP BY kind, thing, detail
"""


def read_stalls(owner: Owner, schemas: list[str]) -> dict[StallLine, Having]:
    """What the tenants' own roles may, in their own schemas; and whose each line is."""
    rows = owner.execute(_LINES, {"schemas": schemas, "group": GROUP, "web": WEB}).fetchall()
    return {
        StallLine(kind, thing, detail): None if having is None else frozenset(having)
        for kind, thing, detail, having in rows
    }


def read_stall(owner: Owner, schema: str) -> frozenset[StallLine]:
    """The lines of one schema."""
    return frozenset(read_stalls(owner, [schema]))
