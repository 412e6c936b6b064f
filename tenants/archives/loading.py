"""The archive's rows into a fresh schema: one transaction, each table compared with the manifest in it."""

from collections.abc import Mapping
from uuid import UUID

from psycopg import sql

from tenants.archives.manifest import PUBLIC, TABLES, Manifest
from tenants.archives.public_data import RESTORED, open_columns
from tenants.archives.reading import Archive, Tell
from tenants.archives.refusals import ArchiveInvalid
from tenants.archives.tables import Owner, Table, all_rows, copy_in, copy_out, table_of, tables_of
from tenants.trail.chain import TENANTS_TABLE

# Who caused a row of usage.
_MEMBER = "member_id"


def load_tables(owner: Owner, schema: str, archive: Archive, tell: Tell) -> list[Table]:
    """Every table of the schema from the archive, compared with its manifest. Raises ArchiveInvalid."""
    tables = tables_of(owner, schema)
    told = archive.manifest.tables(TABLES)
    if sorted(told) != sorted(table.name for table in tables):
        raise ArchiveInvalid(reason="The archive's tables are not those of the schema.")
    # Rows that migrations make are in the archive too. Keys between tables are checked at the end.
    for table in tables:
        owner.execute(sql.SQL("DELETE FROM {}").format(table.identifier))
    for number, table in enumerate(tables, start=1):
        _load(owner, table, archive)
        tell(f"table {number} of {len(tables)} loaded")
    owner.execute("SET CONSTRAINTS ALL IMMEDIATE")
    return tables


def _load(owner: Owner, table: Table, archive: Archive) -> None:
    name = f"{TABLES}{table.name}.csv"
    entry = archive.manifest.entries[name]
    if sorted(entry.columns) != sorted(table.column_names):
        raise ArchiveInvalid(reason=f"The columns of {table.name} are not those of the schema.")
    rows = copy_in(owner, table.identifier, entry.columns, archive.read(name))
    there = copy_out(owner, all_rows(table, entry.columns))
    if (rows, there.rows, there.size, there.sha256) != (
        entry.rows, entry.rows, entry.size, entry.sha256,
    ):  # fmt: skip
        raise ArchiveInvalid(reason=f"{table.name} came out otherwise than the manifest says.")
    for column in table.columns:
        if column.identity:
            owner.execute(
                sql.SQL(
                    "SELECT setval(pg_get_serial_sequence({}, {}), max({})) FROM {}"
                    " HAVING max({}) IS NOT NULL"
                ).format(
                    table.identifier.as_string(owner),
                    column.name,
                    sql.Identifier(column.name),
                    table.identifier,
                    sql.Identifier(column.name),
                )
            )


def rewrite_ids(
    owner: Owner, tables: list[Table], ids: Mapping[UUID, UUID], old: UUID, new: UUID
) -> None:
    """Ids of the tenant, its people and members become those of here; so do paths in the tenant's folder.

    No foreign key leaves a tenant's schema, so these ids stand in plain columns of type uuid.
    """
    facts = {"old": list(ids), "new": list(ids.values()), "was": f"{old}/", "is": f"{new}/"}
    for table in tables:
        if table.name == TENANTS_TABLE:
            continue  # the trail is kept to the letter: its digests prove it
        for column in table.columns:
            name = sql.Identifier(column.name)
            if column.type == "uuid" and not (column.is_key or column.is_foreign_key):
                command = (
                    "UPDATE {table} AS r SET {column} = ids.new"
                    " FROM unnest(%(old)s::uuid[], %(new)s::uuid[]) AS ids(old, new)"
                    " WHERE r.{column} = ids.old"
                )
            elif column.is_text and not column.is_key:
                command = (
                    "UPDATE {table} SET {column} = %(is)s || substr({column}, length(%(was)s) + 1)"
                    " WHERE starts_with({column}, %(was)s)"
                )
            else:
                continue
            owner.execute(sql.SQL(command).format(table=table.identifier, column=name), facts)


def load_usage(owner: Owner, archive: Archive, ids: Mapping[UUID, UUID], new: UUID) -> None:
    """The tenant's usage and how it is told of it, which are rows of public, under its new id.

    Raises ArchiveInvalid.
    """
    for name in RESTORED:
        table = table_of(owner, "public", name)
        entry_name = f"{PUBLIC}{name}.csv"
        entry = archive.manifest.entries.get(entry_name)
        if entry is None or sorted(entry.columns) != sorted(open_columns(table)):
            raise ArchiveInvalid(reason=f"{name} in the archive is not as it is here.")
        staged = sql.Identifier("pg_temp", f"staged_{name}")
        owner.execute(
            sql.SQL("CREATE TEMP TABLE {} ON COMMIT DROP AS SELECT * FROM {} LIMIT 0").format(
                sql.Identifier(f"staged_{name}"), table.identifier
            )
        )
        rows = copy_in(owner, staged, entry.columns, archive.read(entry_name))
        _adopt(owner, table, staged, archive.manifest, ids, new)
        columns = sql.SQL(", ").join(map(sql.Identifier, entry.columns))
        command = sql.SQL("INSERT INTO {} ({}) SELECT {} FROM {}")
        came = owner.execute(command.format(table.identifier, columns, columns, staged)).rowcount
        if (rows, came) != (entry.rows, entry.rows):
            raise ArchiveInvalid(reason=f"{name} came out otherwise than the manifest says.")
    owner.execute("SELECT plaza.rebuild_usage_keys(%s)", [new])


def _adopt(
    owner: Owner,
    table: Table,
    staged: sql.Identifier,
    manifest: Manifest,
    ids: Mapping[UUID, UUID],
    new: UUID,
) -> None:
    """Rows of the archive's tenant, and of nobody else, become the new one's; so do keys that end with an id."""
    command = sql.SQL("UPDATE {} SET tenant_id = %s WHERE tenant_id = %s").format(staged)
    ours = owner.execute(command, [new, manifest.tenant_id]).rowcount
    row = owner.execute(sql.SQL("SELECT count(*) FROM {}").format(staged)).fetchone()
    if row is None or row[0] != ours:
        raise ArchiveInvalid(reason=f"{table.name} holds rows of another tenant.")
    for column in table.columns:
        if column.is_text:
            command = sql.SQL(
                "UPDATE {0} AS r SET {1} = left(r.{1}, -36) || ids.new"
                " FROM unnest(%s::text[], %s::text[]) AS ids(old, new) WHERE right(r.{1}, 36) = ids.old"
            ).format(staged, sql.Identifier(column.name))
            owner.execute(command, [[str(i) for i in ids], [str(i) for i in ids.values()]])
        elif column.name == _MEMBER:
            command = sql.SQL(
                "UPDATE {0} AS r SET {1} = ids.new"
                " FROM unnest(%s::uuid[], %s::uuid[]) AS ids(old, new) WHERE r.{1} = ids.old"
            ).format(staged, sql.Identifier(column.name))
            owner.execute(command, [list(ids), list(ids.values())])
