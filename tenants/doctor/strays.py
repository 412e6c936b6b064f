"""What acts on the square's tables by itself, or shows them, and is nobody's: no package declares any."""

from collections.abc import Iterator
from uuid import UUID

from tenants.doctor.findings import Fault, Patient, by_prepare, by_sql
from tenants.roles import create_role_sql

_LOOK = "Look into it, then: "


def views(patient: Patient) -> Iterator[Fault]:
    """A view reads as its owner, past row security where that is the owner's; so does a materialized one."""
    rows = patient.ask("""
        SELECT format('%I.%I', n.nspname, c.relname), pg_get_userbyid(c.relowner),
               CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' ELSE 'FOREIGN TABLE' END,
               (SELECT string_agg(DISTINCT coalesce(r.rolname, 'PUBLIC'), ', ')
                  FROM aclexplode(c.relacl) AS given LEFT JOIN pg_roles AS r ON r.oid = given.grantee
                 WHERE given.grantee <> c.relowner)
          FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE n.nspname IN ('public', 'plaza') AND c.relkind IN ('v', 'm', 'f')
           AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                            AND d.objid = c.oid AND d.deptype = 'e')
         ORDER BY 1
    """)  # fmt: skip
    for view, owner, kind, readers in rows:
        yield Fault(
            f"Nobody declares the {kind.lower()} {view}: it reads as {owner}, for {readers or 'nobody else'}.",
            f"{_LOOK}DROP {kind} {view};",
        )


def rules(patient: Patient) -> Iterator[Fault]:
    """A rule writes in place of what was meant, or besides it, as the table's owner."""
    rows = patient.ask(r"""
        SELECT quote_ident(r.rulename), c.oid::regclass::text, pg_get_ruledef(r.oid),
               CASE WHEN n.nspname LIKE 't\_%' THEN n.nspname END
          FROM pg_rewrite AS r JOIN pg_class AS c ON c.oid = r.ev_class
          JOIN pg_namespace AS n ON n.oid = c.relnamespace
         WHERE (n.nspname IN ('public', 'plaza') OR n.nspname ~ '^t_[0-9a-f]{32}$')
           AND r.rulename <> '_RETURN' ORDER BY 2, 1
    """)  # fmt: skip
    for name, table, definition, schema in rows:
        yield Fault(
            f"Nobody declares the rule {name} on {table}: {definition}",
            f"{_LOOK}DROP RULE {name} ON {table};",
            UUID(schema[2:]) if schema else None,
        )


def event_triggers(patient: Patient) -> Iterator[Fault]:
    """It runs at each migration and each new tenant, as the owner."""
    rows = patient.ask("""
        SELECT quote_ident(e.evtname), e.evtevent, e.evtfoid::regproc::text FROM pg_event_trigger AS e
         WHERE NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_event_trigger'::regclass
                            AND d.objid = e.oid AND d.deptype = 'e')
         ORDER BY 1
    """)  # fmt: skip
    for name, event, function in rows:
        yield Fault(
            f"Nobody declares the event trigger {name}: {function} runs at each {event}.",
            f"{_LOOK}a superuser runs: DROP EVENT TRIGGER {name};",
        )


def default_privileges(patient: Patient) -> Iterator[Fault]:
    """What is given of each table to come: the next migration would open it."""
    rows = patient.ask(r"""
        SELECT pg_get_userbyid(d.defaclrole), n.nspname, coalesce(r.rolname, 'PUBLIC'),
               CASE d.defaclobjtype WHEN 'r' THEN 'TABLES' WHEN 'S' THEN 'SEQUENCES' WHEN 'f' THEN 'ROUTINES'
                    WHEN 'T' THEN 'TYPES' WHEN 'n' THEN 'SCHEMAS' ELSE 'LARGE OBJECTS' END,
               string_agg(given.privilege_type, ', ' ORDER BY given.privilege_type)
          FROM pg_default_acl AS d LEFT JOIN pg_namespace AS n ON n.oid = d.defaclnamespace
         CROSS JOIN LATERAL aclexplode(d.defaclacl) AS given
          LEFT JOIN pg_roles AS r ON r.oid = given.grantee
         WHERE given.grantee <> d.defaclrole AND coalesce(n.nspname, '') !~ '^t_[0-9a-f]{32}$'
           AND NOT (n.oid IS NULL AND given.grantee = 0 AND d.defaclobjtype IN ('f', 'T'))
         GROUP BY 1, 2, 3, 4 ORDER BY 2, 3, 4
    """)  # fmt: skip
    for maker, schema, role, things, privileges in rows:
        grantee = "PUBLIC" if role == "PUBLIC" else f'"{role}"'
        place = f' IN SCHEMA "{schema}"' if schema else ""
        yield by_sql(
            f"{role} gets {privileges} on all {things.lower()} that {maker} makes{place.lower()}.",
            f'ALTER DEFAULT PRIVILEGES FOR ROLE "{maker}"{place} REVOKE ALL ON {things} FROM {grantee};',
        )


def owners(patient: Patient) -> Iterator[Fault]:
    """Who owns a table may do anything with it: only the installation's owner, or a superuser, is to."""
    rows = patient.ask(r"""
        WITH ours AS (
            SELECT oid, nspname::text FROM pg_namespace
             WHERE nspname IN ('public', 'plaza', 'template', 'ext') OR nspname ~ '^t_[0-9a-f]{32}$'
        ), owned AS (
            SELECT 'SCHEMA' AS kind, quote_ident(n.nspname) AS name, n.nspname::text AS place, n.nspowner AS owner
              FROM pg_namespace AS n JOIN ours ON ours.oid = n.oid
            UNION ALL
            SELECT CASE c.relkind WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                   format('%I.%I', ours.nspname, c.relname), ours.nspname, c.relowner
              FROM pg_class AS c JOIN ours ON ours.oid = c.relnamespace WHERE c.relkind IN ('r', 'p', 'v', 'm', 'S')
               AND NOT EXISTS (SELECT FROM pg_depend AS d WHERE d.classid = 'pg_class'::regclass
                                AND d.objid = c.oid AND d.deptype IN ('a', 'i'))
        )
        SELECT kind, name, pg_get_userbyid(owner), quote_ident(current_user),
               CASE WHEN place LIKE 't\_%' THEN place END
          FROM owned JOIN pg_roles AS r ON r.oid = owner
         WHERE NOT r.rolsuper AND r.rolname NOT IN (current_user, 'pg_database_owner') ORDER BY 1, 2
    """)  # fmt: skip
    for kind, name, owner, wanted, schema in rows:
        # Its new owner would have no rights of its own where somebody has taken those of the old one.
        thing = name if kind in {"TABLE", "VIEW", "MATERIALIZED VIEW"} else f"{kind} {name}"
        give_back = f"ALTER {kind} {name} OWNER TO {wanted}; GRANT ALL ON {thing} TO {wanted};"
        what = f"The {kind.lower()} {name} is {owner}'s, not {wanted}'s."
        if schema:
            # What its role was granted, it had as the owner: that went with it.
            cure = f"{give_back}\n{create_role_sql(schema).strip()}"
            yield by_sql(what, cure, UUID(schema[2:]))
        else:
            yield by_prepare(what, before=give_back)
