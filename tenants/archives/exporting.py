"""Export: one zip of schema, data, files and a manifest, from one snapshot, streamed.

Data are read in one REPEATABLE READ transaction. The file gets its name when it is whole: a killed
export leaves `.<name>.part`, which the next one overwrites.
"""

import fcntl
import hashlib
import os
import zipfile
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from django.core.files.storage import default_storage
from psycopg import IsolationLevel, sql

from config.fingerprint import release_fingerprint
from config.logs import logger
from tenants.archives.manifest import FILES, MEMBERS, NAME, PUBLIC, SCHEMA, TABLES, Entry, Manifest
from tenants.archives.public_data import (
    MEMBER_COLUMNS,
    members_query,
    open_columns,
    public_tables,
    rows_query,
)
from tenants.archives.refusals import ArchiveBusy
from tenants.archives.tables import Owner, Table, all_rows, copy_out, steady, tables_of
from tenants.engine.owner import owner_connection
from tenants.life.stores import files_of
from tenants.models import Template, Tenant
from tenants.services import TenantNotReady
from tenants.template import version_of

log = logger(__name__)
Tell = Callable[[str], None]
Advance = Callable[[int, int], None]
_CHUNK = 1 << 20
EXPORTS = "exports"


def export_to(
    *,
    tenant_id: UUID,
    to: Path,
    plan: str,
    now: datetime,
    tell: Tell,
    advance: Advance = lambda _done, _total: None,
) -> Manifest:
    """Write the tenant's archive to `to`; what it holds. `plan` is only told in it.

    `advance(done, total)` is called after each table, and after the public rows and the files.

    Raises Tenant.DoesNotExist, TenantNotReady, ArchiveBusy, OSError.
    """
    tenant: Tenant = Tenant.objects.get(pk=tenant_id)
    with _whole_or_nothing(to) as file, closing(owner_connection()) as owner:
        tables = tables_of(owner, tenant.schema_name)
        if not tables:
            raise TenantNotReady()
        owner.isolation_level, owner.read_only = IsolationLevel.REPEATABLE_READ, True
        with (
            owner.transaction(),
            zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED, strict_timestamps=False) as archive,
        ):
            _hold_still(owner, tables)
            steady(owner)
            manifest = _begun(owner, tenant, plan=plan, now=now)
            parts = _Parts(archive, manifest, now)
            _write_schema(parts)
            steps = len(tables) + 2
            for number, table in enumerate(tables, start=1):
                _write_table(owner, table, parts)
                tell(f"table {number} of {len(tables)} exported")
                advance(number, steps)
            _write_public(owner, tenant, parts)
            advance(steps - 1, steps)
            _write_files(tenant_id, parts, tell)
            parts.write_manifest()
            advance(steps, steps)
    log.info(
        "tenant.exported", extra={"tenant_id": str(tenant_id), "entries": len(manifest.entries)}
    )
    return manifest


@contextmanager
def _whole_or_nothing(to: Path) -> Iterator[IO[bytes]]:
    part = to.with_name(f".{to.name}.part")
    # Appending, so that a second writer does not empty the first one's file before it is refused.
    with part.open("ab") as file:
        os.fchmod(file.fileno(), 0o600)
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            raise ArchiveBusy(path=str(to)) from error
        file.truncate(0)
        try:
            with part.open("r+b") as writable:
                yield writable
                writable.flush()
                os.fsync(writable.fileno())
            part.replace(to)
        except BaseException:  # Ctrl-C too leaves no half archive
            part.unlink(missing_ok=True)
            raise


def _hold_still(owner: Owner, tables: list[Table]) -> None:
    """Before the snapshot is taken, for a table that a migration rewrites after it would look empty in it.

    Readers and writers are not kept waiting by this; migrations are, and try again (lock_timeout).
    Raises ArchiveBusy where one came first.
    """
    names = sql.SQL(", ").join(table.identifier for table in tables)
    owner.execute(sql.SQL("LOCK TABLE {} IN ACCESS SHARE MODE").format(names))
    if tables_of(owner, tables[0].schema) != tables:
        raise ArchiveBusy(detail="A migration is at work on this tenant; export it afterwards.")


def _begun(owner: Owner, tenant: Tenant, *, plan: str, now: datetime) -> Manifest:
    with owner.cursor() as cursor:
        version = version_of(cursor, tenant.schema_name)
    return Manifest(
        tenant_id=tenant.id,
        slug=tenant.slug,
        organisation=tenant.organisation,
        locale=tenant.locale,
        plan=plan,
        made_at=now.astimezone(UTC).isoformat().replace("+00:00", "Z"),
        release=release_fingerprint(),
        schema_version=version,
        data_region=tenant.data_region,
    )


class _Parts:
    """The zip being written: each part is hashed and counted on its way."""

    def __init__(self, archive: zipfile.ZipFile, manifest: Manifest, now: datetime) -> None:
        self._archive = archive
        self._moment = now.astimezone(UTC).timetuple()[:6]
        self.manifest = manifest

    @contextmanager
    def open(self, name: str) -> Iterator[IO[bytes]]:
        info = zipfile.ZipInfo(name, self._moment)
        info.compress_type = zipfile.ZIP_DEFLATED
        info.external_attr = 0o600 << 16
        with self._archive.open(info, "w", force_zip64=True) as sink:
            yield sink

    def write_rows(
        self, owner: Owner, name: str, query: sql.Composable, columns: tuple[str, ...]
    ) -> None:
        with self.open(name) as sink:
            copied = copy_out(owner, query, sink)
        self.manifest.entries[name] = Entry(copied.size, copied.sha256, copied.rows, columns)

    def write_chunks(self, name: str, chunks: Iterator[bytes]) -> None:
        digest, size = hashlib.sha256(), 0
        with self.open(name) as sink:
            for data in chunks:
                digest.update(data)
                size += len(data)
                sink.write(data)
        self.manifest.entries[name] = Entry(size, digest.hexdigest())

    def write_manifest(self) -> None:
        ordered = dict(sorted(self.manifest.entries.items()))
        with self.open(NAME) as sink:
            sink.write(replace(self.manifest, entries=ordered).dumped())


def _write_schema(parts: _Parts) -> None:
    """What makes an empty schema of this version: to be read, an import never runs it."""
    template = Template.objects.filter(pk=parts.manifest.schema_version).first()
    if template is not None:
        parts.write_chunks(SCHEMA, iter([template.sql.encode()]))


def _write_table(owner: Owner, table: Table, parts: _Parts) -> None:
    names = table.column_names
    parts.write_rows(owner, f"{TABLES}{table.name}.csv", all_rows(table, names), names)


def _write_public(owner: Owner, tenant: Tenant, parts: _Parts) -> None:
    for table in public_tables(owner):
        query = rows_query(table, str(tenant.id))
        parts.write_rows(owner, f"{PUBLIC}{table.name}.csv", query, open_columns(table))
    parts.write_rows(owner, MEMBERS, members_query(str(tenant.id)), MEMBER_COLUMNS)


def _write_files(tenant_id: UUID, parts: _Parts, tell: Tell) -> None:
    """All files but earlier exports. One that goes while we read is as if it had gone before."""
    for name in files_of(tenant_id):
        inner = name.partition("/")[2]
        if inner.partition("/")[0] == EXPORTS:
            continue
        try:
            with default_storage.open(name) as file:
                parts.write_chunks(f"{FILES}{inner}", iter(lambda f=file: f.read(_CHUNK), b""))  # type: ignore[misc]
        except FileNotFoundError:
            tell(f"{inner} is gone meanwhile")
    tell("files exported")
