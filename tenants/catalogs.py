"""The questions by which a schema is read from PostgreSQL's catalogs (tenants/rendering.py).

Each of QUERIES answers (name, definition) in the order in which the objects can be made. They are
asked with `search_path` at the schema, so that PostgreSQL writes its names without it.
"""

# What no query below reads, as a person would call it. An empty answer: all can be written.
UNKNOWN = r"""
SELECT pg_describe_object(d.classid, d.objid, d.objsubid)
FROM pg_depend d
WHERE d.refclassid = 'pg_namespace'::regclass AND d.refobjid = to_regnamespace(%(schema)s) AND d.deptype = 'n'
  AND d.classid NOT IN ('pg_class'::regclass, 'pg_proc'::regclass, 'pg_default_acl'::regclass)
UNION ALL
SELECT pg_describe_object('pg_class'::regclass, c.oid, 0) || ' (relkind ' || c.relkind::text || ')'
FROM pg_class c
WHERE c.relnamespace = to_regnamespace(%(schema)s)
  AND (c.relkind NOT IN ('r', 'i', 'S', 'v') OR c.relispartition OR c.relrowsecurity
       OR EXISTS (SELECT FROM pg_inherits WHERE c.oid IN (inhrelid, inhparent)))
UNION ALL
SELECT pg_describe_object('pg_rewrite'::regclass, r.oid, 0)
FROM pg_rewrite r JOIN pg_class c ON c.oid = r.ev_class
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND r.rulename <> '_RETURN'
UNION ALL
SELECT pg_describe_object('pg_proc'::regclass, p.oid, 0)
FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%(schema)s)
  AND (p.prokind NOT IN ('f', 'p') OR p.proconfig::text ~ ('\m' || %(schema)s::text || '\M')
       OR p.prosrc ~ ('\m' || %(schema)s::text || '[.]'))
UNION ALL
SELECT pg_describe_object('pg_class'::regclass, c.oid, a.attnum) || ' (storage)'
FROM pg_attribute a JOIN pg_class c ON c.oid = a.attrelid JOIN pg_type t ON t.oid = a.atttypid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'r' AND a.attnum > 0 AND NOT a.attisdropped
  AND (a.attstorage <> t.typstorage OR a.attcompression <> '' OR a.attoptions IS NOT NULL)
"""

_SEQUENCES = """
SELECT quote_ident(c.relname), 'AS ' || format_type(s.seqtypid, NULL) || ' ' || 'INCREMENT BY ' || s.seqincrement || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax
    || ' START WITH ' || s.seqstart || ' CACHE ' || s.seqcache || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END
FROM pg_sequence s JOIN pg_class c ON c.oid = s.seqrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s)
  AND NOT EXISTS (SELECT FROM pg_depend d WHERE d.classid = 'pg_class'::regclass
                  AND d.objid = c.oid AND d.refobjsubid > 0 AND d.deptype = 'i')
ORDER BY c.relname
"""

_SEQUENCE_OWNERS = """
SELECT quote_ident(c.relname), format('ALTER SEQUENCE %%I OWNED BY %%I.%%I', c.relname, t.relname, a.attname)
FROM pg_class c
JOIN pg_depend d ON d.classid = 'pg_class'::regclass AND d.objid = c.oid AND d.deptype = 'a'
JOIN pg_class t ON t.oid = d.refobjid
JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum = d.refobjsubid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'S'
ORDER BY c.relname
"""

# A function that speaks of a table of the schema in its signature or its parsed body comes after it.
_LATE_FUNCTIONS = """
SELECT p.oid::regprocedure::text,
    regexp_replace(pg_get_functiondef(p.oid), ' ' || %(schema)s::text || '[.]', ' ')
FROM pg_proc p WHERE p.pronamespace = to_regnamespace(%(schema)s) AND EXISTS (
    SELECT FROM pg_depend d
    LEFT JOIN pg_type t ON d.refclassid = 'pg_type'::regclass AND t.oid = d.refobjid
    LEFT JOIN pg_type e ON e.oid = t.typelem
    JOIN pg_class c ON c.oid IN (t.typrelid, e.typrelid)
                    OR (d.refclassid = 'pg_class'::regclass AND c.oid = d.refobjid)
    WHERE d.classid = 'pg_proc'::regclass AND d.objid = p.oid
      AND c.relnamespace = to_regnamespace(%(schema)s))
ORDER BY p.oid
"""
_FUNCTIONS = _LATE_FUNCTIONS.replace("AND EXISTS", "AND NOT EXISTS")

_TABLES = """
SELECT quote_ident(relname), CASE relpersistence WHEN 'u' THEN 'unlogged ' ELSE '' END
    || coalesce('WITH (' || array_to_string(reloptions, ', ') || ')', '')
FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'r' ORDER BY relname
"""

# PostgreSQL 18 gives NOT NULL a name of its own, which a renamed column keeps.
_COLUMNS = """
SELECT quote_ident(c.relname) || '.' || quote_ident(a.attname),
    quote_ident(a.attname) || ' ' || format_type(a.atttypid, a.atttypmod)
    || CASE WHEN a.attcollation <> t.typcollation
            THEN ' COLLATE ' || a.attcollation::regcollation::text ELSE '' END
    || CASE WHEN a.attgenerated <> '' THEN ' GENERATED ALWAYS AS (' || pg_get_expr(d.adbin, d.adrelid) || ')'
            || CASE a.attgenerated WHEN 's' THEN ' STORED' ELSE ' VIRTUAL' END
            WHEN d.adbin IS NOT NULL THEN ' DEFAULT ' || pg_get_expr(d.adbin, d.adrelid)
            ELSE '' END
    || CASE WHEN a.attidentity <> '' THEN
            ' GENERATED ' || CASE a.attidentity WHEN 'a' THEN 'ALWAYS' ELSE 'BY DEFAULT' END
            || ' AS IDENTITY (SEQUENCE NAME ' || quote_ident(i.relname) || ' ' || 'INCREMENT BY ' || s.seqincrement || ' MINVALUE ' || s.seqmin || ' MAXVALUE ' || s.seqmax
    || ' START WITH ' || s.seqstart || ' CACHE ' || s.seqcache || CASE WHEN s.seqcycle THEN ' CYCLE' ELSE '' END || ')'
            ELSE '' END
    || CASE WHEN a.attnotnull THEN coalesce(' CONSTRAINT ' || quote_ident(n.conname), '') || ' NOT NULL'
            ELSE '' END
FROM pg_class c
JOIN pg_attribute a ON a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped
JOIN pg_type t ON t.oid = a.atttypid
LEFT JOIN pg_attrdef d ON d.adrelid = c.oid AND d.adnum = a.attnum
LEFT JOIN pg_constraint n ON n.conrelid = c.oid AND n.contype = 'n' AND n.conkey = ARRAY[a.attnum]
LEFT JOIN pg_depend p ON a.attidentity <> '' AND p.classid = 'pg_class'::regclass AND p.deptype = 'i'
                      AND p.refclassid = 'pg_class'::regclass AND p.refobjid = c.oid
                      AND p.refobjsubid = a.attnum
LEFT JOIN pg_class i ON i.oid = p.objid AND i.relkind = 'S'
LEFT JOIN pg_sequence s ON s.seqrelid = i.oid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND c.relkind = 'r'
ORDER BY c.relname, a.attnum
"""

# With the table where that is possible: fewer statements to replay.
_CONSTRAINTS = """
SELECT quote_ident(c.relname) || '.' || quote_ident(k.conname),
    'CONSTRAINT ' || quote_ident(k.conname) || ' ' || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = to_regnamespace(%(schema)s) AND k.contype IN ('p', 'u', 'x', 'c') AND k.convalidated
ORDER BY c.relname, k.contype DESC, k.conname
"""

_FOREIGN_KEYS = """
SELECT quote_ident(c.relname) || '.' || quote_ident(k.conname),
    format('ALTER TABLE %%I ADD CONSTRAINT %%I ', c.relname, k.conname) || pg_get_constraintdef(k.oid)
FROM pg_constraint k JOIN pg_class c ON c.oid = k.conrelid
WHERE k.connamespace = to_regnamespace(%(schema)s) AND (k.contype = 'f' OR NOT k.convalidated)
ORDER BY c.relname, k.conname
"""

# The pretty form leaves the schema's name out, and is read back to the same index.
_INDEXES = """
SELECT quote_ident(i.relname), pg_get_indexdef(i.oid, 0, true)
FROM pg_index x JOIN pg_class i ON i.oid = x.indexrelid JOIN pg_class t ON t.oid = x.indrelid
WHERE i.relnamespace = to_regnamespace(%(schema)s) AND t.relkind = 'r'
  AND NOT EXISTS (SELECT FROM pg_constraint k WHERE k.conindid = i.oid AND k.contype IN ('p', 'u', 'x'))
ORDER BY t.relname, i.relname
"""

_VIEWS = """
SELECT quote_ident(relname), format('CREATE VIEW %%I ', relname)
    || coalesce('WITH (' || array_to_string(reloptions, ', ') || ') ', '')
    || 'AS ' || rtrim(pg_get_viewdef(oid), ';')
FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s) AND relkind = 'v' ORDER BY oid
"""

_TRIGGERS = """
SELECT quote_ident(c.relname) || '.' || quote_ident(g.tgname), pg_get_triggerdef(g.oid, true)
FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
WHERE c.relnamespace = to_regnamespace(%(schema)s) AND NOT g.tgisinternal
ORDER BY c.relname, g.tgname
"""

_COMMENTS = r"""
SELECT o.type || ' ' || regexp_replace(o.identity, '\m' || %(schema)s::text || '[.]', '', 'g'),
    'COMMENT ON ' || CASE o.type
        WHEN 'table column' THEN 'COLUMN' WHEN 'view column' THEN 'COLUMN'
        WHEN 'table constraint' THEN 'CONSTRAINT' ELSE upper(o.type) END
    || ' ' || regexp_replace(o.identity, '\m' || %(schema)s::text || '[.]', '', 'g') || ' IS ' || quote_literal(e.description)
FROM pg_description e
CROSS JOIN LATERAL pg_identify_object(e.classoid, e.objoid, e.objsubid) o
WHERE (e.classoid = 'pg_class'::regclass AND e.objoid IN (SELECT oid FROM pg_class WHERE relnamespace = to_regnamespace(%(schema)s)))
   OR (e.classoid = 'pg_proc'::regclass AND e.objoid IN (SELECT oid FROM pg_proc WHERE pronamespace = to_regnamespace(%(schema)s)))
   OR (e.classoid = 'pg_constraint'::regclass
       AND e.objoid IN (SELECT oid FROM pg_constraint WHERE connamespace = to_regnamespace(%(schema)s)))
   OR (e.classoid = 'pg_trigger'::regclass AND e.objoid IN (
       SELECT g.oid FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid WHERE c.relnamespace = to_regnamespace(%(schema)s)))
ORDER BY 1
"""

QUERIES = {
    "sequence": _SEQUENCES,
    "function": _FUNCTIONS,
    "table": _TABLES,
    "column": _COLUMNS,
    "constraint": _CONSTRAINTS,
    "index": _INDEXES,
    "foreign key": _FOREIGN_KEYS,
    "owner of sequence": _SEQUENCE_OWNERS,
    "late function": _LATE_FUNCTIONS,
    "view": _VIEWS,
    "trigger": _TRIGGERS,
    "comment": _COMMENTS,
}

WRITTEN_COLUMNS = """
SELECT quote_ident(attname) FROM pg_attribute
WHERE attrelid = %(table)s::regclass AND attnum > 0 AND NOT attisdropped AND attgenerated = ''
ORDER BY attnum
"""

SEQUENCE_VALUES = """
SELECT format('SELECT pg_catalog.setval(%%L, %%s, true)', quote_ident(sequencename), last_value)
FROM pg_sequences WHERE schemaname = %(schema)s AND last_value IS NOT NULL ORDER BY sequencename
"""
