"""The SQL by which a cluster takes a tenant: its schema on a node, its role signing in there.

Every statement is the owner's, sent to the coordinator; Citus carries DDL and roles to the nodes itself
(citus.enable_ddl_propagation, citus.enable_create_role_propagation, both on unless switched off).
"""

from tenants.roles import quoted

# In the session that makes a schema. `on` would distribute every new schema: the template and `ext` too.
SETTINGS: tuple[str, ...] = (
    "SET citus.enable_schema_based_sharding = off;",
    # All DDL of a transaction on one connection: the tables of a schema and their keys need one another.
    "SET citus.multi_shard_modify_mode = 'sequential';",
)


def distribute_sql(schema: str) -> str:
    """Make the tenant's schema a distributed one, on the node with the fewest. Harmless twice (a notice).

    Best while it has no tables: those made in it afterwards are on its node at once, where existing ones
    would be copied there. Source: citus_schema_distribute, schema_based_sharding.c.
    """
    quoted(schema)
    return f"SELECT citus_schema_distribute('{schema}'::regnamespace);"


def is_distributed_sql(schema: str) -> str:
    """Answers one row with one boolean."""
    quoted(schema)
    return (
        "SELECT EXISTS (SELECT FROM pg_dist_schema AS d"  # noqa: S608 - a name of ours
        f" WHERE d.schemaid = to_regnamespace('{schema}')::oid);"
    )


def undistribute_sql(schema: str) -> str:
    """Back to the coordinator, rows included: before an installation leaves Citus."""
    quoted(schema)
    return f"SELECT citus_schema_undistribute('{schema}'::regnamespace);"


def role_sql(schema: str) -> str:
    """What a tenant's role needs besides `create_role_sql`: a sign-in, and none from outside.

    A node is reached as the *current* role, so a role without LOGIN can do nothing there (issue 7719 of
    citusdata/citus; measured on 13.2). It has no password: only pg_hba.conf of the nodes lets it in, from
    the coordinator's address alone, and on the coordinator it is rejected (deploy/citus.md).
    """
    name = quoted(schema)
    return f"ALTER ROLE {name} LOGIN PASSWORD NULL;"


def move_sql(schema: str, *, node: str, port: int = 5432) -> str:
    """Move the tenant to another node while it works: by logical replication, every table having a key.

    Source: citus_schema_move, https://learn.microsoft.com/en-us/postgresql/citus/api-udf. Raises ValueError.
    """
    quoted(schema)
    if not node or set(node) & set("'\\;\0 ") or not 0 < port < 65_536:
        raise ValueError(f"{node!r}:{port} is no node's address.")
    return f"SELECT citus_schema_move('{schema}'::regnamespace, '{node}', {port}, 'auto');"


def where_sql() -> str:
    """Each distributed schema with its node and size: (schema, node, port, size)."""
    return (
        "SELECT DISTINCT s.schema_name::text, n.nodename, n.nodeport, s.schema_size"
        " FROM citus_schemas AS s JOIN pg_dist_partition AS t ON t.colocationid = s.colocation_id"
        " JOIN pg_dist_shard AS h ON h.logicalrelid = t.logicalrelid"
        " JOIN pg_dist_placement AS p ON p.shardid = h.shardid"
        " JOIN pg_dist_node AS n ON n.groupid = p.groupid AND n.noderole = 'primary' ORDER BY 1;"
    )


def undistributed_sql() -> str:
    """Tenants' schemas that are still the coordinator's, for the doctor: (schema)."""
    return (
        "SELECT nspname::text FROM pg_namespace WHERE nspname ~ '^t_[0-9a-f]{32}$'"
        " AND oid NOT IN (SELECT schemaid FROM pg_dist_schema) ORDER BY 1;"
    )


def reference_sql(table: str) -> str:
    """Make a public table a reference table, copied to every node.

    None needs it as long as the lint finds no statement that joins one with a tenant's: the square's
    tables stay plain tables of the coordinator, which Citus leaves alone. Raises ValueError.
    """
    if not table.replace("_", "").isalnum() or not table.islower():
        raise ValueError(f"{table!r} is no public table's name.")
    return f"SELECT create_reference_table('public.{table}');"
