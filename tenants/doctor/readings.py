"""What PostgreSQL's catalogs say of rights and walls, as lines that can be compared: (object, detail).

Each question is asked of some schemas, so that what is there and what is declared (`declared.py`) are
read by the same words. Objects are written as SQL names them.
"""

from dataclasses import dataclass
from typing import Any, LiteralString

import psycopg

Owner = psycopg.Connection[tuple[Any, ...]]
Line = tuple[str, str]
Lines = frozenset[Line]

# Every entry of every access list. `usual` is what the thing has by itself: initdb's, the extension's or
# PostgreSQL's default. `place` is its schema, or '' where it lies in none.
_ENTRIES: LiteralString = """
WITH thing AS (
    SELECT 'pg_class'::regclass AS class, c.oid, 0 AS part, n.nspname::text AS place, c.relowner AS owner,
           CASE c.relkind WHEN 'S' THEN 'SEQUENCE ' ELSE 'TABLE ' END || format('%%I.%%I', n.nspname, c.relname) AS name,
           c.relacl AS acl, acldefault(CASE c.relkind WHEN 'S' THEN 's' ELSE 'r' END::"char", c.relowner) AS usual
      FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE c.relkind IN ('r', 'p', 'S') OR c.relkind IN ('v', 'm', 'f') AND n.nspname NOT IN ('public', 'plaza')
    UNION ALL
    SELECT 'pg_class'::regclass, c.oid, a.attnum, n.nspname, c.relowner,
           'COLUMN ' || format('%%I.%%I (%%I)', n.nspname, c.relname, a.attname), a.attacl, NULL::aclitem[]
      FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
     WHERE a.attacl IS NOT NULL AND NOT a.attisdropped
    UNION ALL
    SELECT 'pg_proc'::regclass, p.oid, 0, n.nspname, p.proowner,
           'ROUTINE ' || (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity, p.proacl, acldefault('f', p.proowner)
      FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
     WHERE p.proacl IS NOT NULL OR n.nspname = 'plaza'
    UNION ALL
    SELECT 'pg_type'::regclass, t.oid, 0, n.nspname, t.typowner,
           'TYPE ' || format('%%I.%%I', n.nspname, t.typname), t.typacl, acldefault('T', t.typowner)
      FROM pg_type AS t JOIN pg_namespace AS n ON n.oid = t.typnamespace WHERE t.typacl IS NOT NULL
    UNION ALL
    SELECT 'pg_namespace'::regclass, oid, 0, nspname, nspowner, 'SCHEMA ' || quote_ident(nspname), nspacl, acldefault('n', nspowner)
      FROM pg_namespace
    UNION ALL
    SELECT 'pg_database'::regclass, oid, 0, '', datdba, 'DATABASE ' || quote_ident(datname), datacl, NULL::aclitem[]
      FROM pg_database WHERE datname = current_database()
    UNION ALL
    SELECT 'pg_language'::regclass, oid, 0, '', lanowner, 'LANGUAGE ' || quote_ident(lanname), lanacl, acldefault('l', lanowner)
      FROM pg_language
    UNION ALL
    SELECT 'pg_largeobject'::regclass, oid, 0, '', lomowner, 'LARGE OBJECT ' || oid, lomacl, acldefault('L', lomowner)
      FROM pg_largeobject_metadata
    UNION ALL
    SELECT 'pg_foreign_server'::regclass, oid, 0, '', srvowner, 'FOREIGN SERVER ' || quote_ident(srvname), srvacl, acldefault('S', srvowner)
      FROM pg_foreign_server
    UNION ALL
    SELECT 'pg_parameter_acl'::regclass, oid, 0, '', 10, 'PARAMETER ' || quote_ident(parname), paracl, NULL::aclitem[] FROM pg_parameter_acl
), entry AS (
    SELECT thing.*, given.grantee, told AS privilege,
           given.grantee = 0 OR EXISTS (SELECT FROM pg_roles AS r WHERE r.oid = given.grantee AND NOT r.rolsuper
               AND r.rolname NOT IN (current_user, 'pg_database_owner')) AS is_somebodys
      FROM thing LEFT JOIN pg_init_privs AS init ON init.classoid = class AND init.objoid = thing.oid AND init.objsubid = part
     CROSS JOIN LATERAL aclexplode(coalesce(acl, usual)) AS given
     CROSS JOIN LATERAL unnest(CASE WHEN given.is_grantable THEN ARRAY[given.privilege_type, 'GRANT OPTION FOR ' || given.privilege_type]
                               ELSE ARRAY[given.privilege_type] END) AS told
     WHERE grantee <> owner AND NOT EXISTS (
        SELECT FROM aclexplode(coalesce(init.initprivs, usual)) AS known
         WHERE place NOT IN ('public', 'plaza') AND (known.grantee, known.privilege_type, known.is_grantable)
                                  = (given.grantee, given.privilege_type, given.is_grantable))
)
"""
_GRANTS: LiteralString = r"""
SELECT name, coalesce(r.rolname::text, 'PUBLIC') || ': ' || privilege
  FROM entry LEFT JOIN pg_roles AS r ON r.oid = grantee
 WHERE is_somebodys AND NOT (place = 'information_schema' AND grantee = 0 AND privilege IN ('SELECT', 'USAGE'))
   AND place !~ '^(t_[0-9a-f]{32}|pg_temp.*|pg_toast.*)$'
   AND coalesce(r.rolname, 'PUBLIC') !~ '^t_[0-9a-f]{32}$'
   -- What config/closed_catalogs.py gives in place of PUBLIC's; whether it is there tells catalogs_open.
   AND NOT (place = 'pg_catalog' AND coalesce(r.rolname, '') = 'pg_monitor' AND privilege IN ('SELECT', 'EXECUTE'))
   AND NOT (place = 'pg_catalog' AND coalesce(r.rolname, '') = 'plaza_square'
            AND (privilege = 'SELECT' OR name LIKE 'ROUTINE pg_catalog.pg_total_relation_size(%%'))
   AND (%(schemas)s::text[] IS NULL OR place = ANY(%(schemas)s) OR place = '')
"""
_POLICIES: LiteralString = """
SELECT format('%%I.%%I.%%I', n.nspname, c.relname, p.polname),
       CASE WHEN p.polpermissive THEN '' ELSE 'restrictive ' END
       || CASE p.polcmd WHEN '*' THEN 'all' WHEN 'r' THEN 'select' WHEN 'a' THEN 'insert' WHEN 'w' THEN 'update' ELSE 'delete' END
       || ' to ' || (SELECT string_agg(coalesce(r.rolname, 'PUBLIC'), ', ' ORDER BY r.rolname)
                       FROM unnest(p.polroles) AS who (oid) LEFT JOIN pg_roles AS r ON r.oid = who.oid)
       || ' using ' || coalesce(pg_get_expr(p.polqual, p.polrelid), '-')
       || ' check ' || coalesce(pg_get_expr(p.polwithcheck, p.polrelid), '-')
  FROM pg_policy AS p JOIN pg_class AS c ON c.oid = p.polrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%(schemas)s)
"""
_FUNCTIONS: LiteralString = """
SELECT (pg_identify_object('pg_proc'::regclass, p.oid, 0)).identity,
       CASE WHEN p.prokind IN ('f', 'p') THEN pg_get_functiondef(p.oid) ELSE p.prokind::text END
       || ' owner ' || pg_get_userbyid(p.proowner)
  FROM pg_proc AS p JOIN pg_namespace AS n ON n.oid = p.pronamespace
 WHERE n.nspname = ANY(%(schemas)s) AND NOT EXISTS (
    SELECT FROM pg_depend AS d WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid AND d.deptype = 'e')
"""
_TRIGGERS: LiteralString = """
SELECT format('%%I on %%I.%%I', g.tgname, n.nspname, c.relname),
       pg_get_triggerdef(g.oid) || CASE g.tgenabled WHEN 'O' THEN '' ELSE ' switched ' || g.tgenabled::text END
  FROM pg_trigger AS g JOIN pg_class AS c ON c.oid = g.tgrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
 WHERE n.nspname = ANY(%(schemas)s) AND NOT g.tgisinternal AND g.tgparentid = 0
"""
_SETTINGS: LiteralString = """
SELECT r.rolname || CASE s.setdatabase WHEN 0 THEN '' ELSE ' IN DATABASE ' || quote_ident(current_database()) END, setting
  FROM pg_db_role_setting AS s JOIN pg_roles AS r ON r.oid = s.setrole CROSS JOIN LATERAL unnest(s.setconfig) AS setting
 WHERE r.rolname = ANY(%(roles)s)
   AND s.setdatabase IN (0, (SELECT oid FROM pg_database WHERE datname = current_database()))
"""
_MEMBERS: LiteralString = r"""
SELECT format('%%I TO %%I', parent.rolname, child.rolname),
       'admin ' || bool_or(m.admin_option) || coalesce(' set ' || bool_or((to_jsonb(m) ->> 'set_option')::boolean), '')
  FROM pg_auth_members AS m
  JOIN pg_roles AS child ON child.oid = m.member JOIN pg_roles AS parent ON parent.oid = m.roleid
 WHERE (child.rolname = ANY(%(roles)s) OR parent.rolname = ANY(%(roles)s))
   AND child.rolname <> current_user AND NOT child.rolsuper
   AND child.rolname !~ '^t_[0-9a-f]{32}$' AND parent.rolname !~ '^t_[0-9a-f]{32}$'
 GROUP BY 1
"""
_ATTRIBUTES: LiteralString = """
SELECT rolname::text, 'CONNECTION LIMIT ' || rolconnlimit
       || ' VALID UNTIL ' || quote_literal(coalesce(rolvaliduntil, 'infinity'))
  FROM pg_roles WHERE rolname = ANY(%(roles)s)
"""


@dataclass(frozen=True, slots=True)
class Reading:
    """Lines of some schemas and of our roles, by what they are about."""

    grants: Lines
    policies: Lines
    functions: Lines
    triggers: Lines
    settings: Lines
    members: Lines
    attributes: Lines


def read(owner: Owner, *, roles: list[str], schemas: list[str] | None = None) -> Reading:
    """Of `public` and `plaza`; grants of every schema but the tenants', where `schemas` does not name some."""
    ours = ["public", "plaza"]
    return Reading(
        grants=_lines(owner, _ENTRIES + _GRANTS, schemas=schemas),
        policies=_lines(owner, _POLICIES, schemas=ours),
        functions=_lines(owner, _FUNCTIONS, schemas=ours),
        triggers=_lines(owner, _TRIGGERS, schemas=ours),
        settings=_lines(owner, _SETTINGS, roles=roles),
        members=_lines(owner, _MEMBERS, roles=roles),
        attributes=_lines(owner, _ATTRIBUTES, roles=roles),
    )


def _lines(owner: Owner, question: LiteralString, **facts: Any) -> Lines:
    return frozenset((str(thing), str(detail)) for thing, detail in owner.execute(question, facts))
