"""Restore an archive as a new tenant, under a slug and an id of its own. Neighbours are not touched.

The archive is verified before anything is made. A restore that fails takes back what it made; one that
is killed goes on when it is started again with the same file and slug.
"""

from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

import psycopg
from django.core.exceptions import SuspiciousFileOperation
from django.core.files.base import File
from django.core.files.storage import default_storage
from django.db import transaction
from psycopg import sql

from config.files import refuse_region
from config.logs import logger
from tenants import services
from tenants.archives.loading import load_tables, load_usage, rewrite_ids
from tenants.archives.manifest import FILES, MEMBERS, Manifest
from tenants.archives.members import LARGEST, link_members, read_members
from tenants.archives.reading import Archive, Tell, checksum_of, opened
from tenants.archives.refusals import ArchiveBusy, ArchiveInvalid, ArchiveSchemaDiffers
from tenants.archives.streams import file_of
from tenants.archives.tables import Owner, steady
from tenants.engine.owner import owner_connection, writing
from tenants.life.erasing import erase
from tenants.life.refusals import TenantNotOpen
from tenants.life.stores import delete_files, folder_of
from tenants.models import Erasure, Restoration, Tenant
from tenants.provisioning import provision
from tenants.template import code_version
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)
LOCK_CLASS = 7_411


@dataclass(frozen=True, slots=True)
class Restored:
    """A restored tenant, not open yet: whoever asked gives it a plan and activates it."""

    tenant: Tenant
    manifest: Manifest


def restore_from(
    *, path: Path, slug: str, organisation: str, is_foreign_allowed: bool, now: datetime, tell: Tell
) -> Restored:
    """Make a tenant of the archive, in the state `provisioning`. An empty `organisation` keeps the archive's.

    Raises the refusals of tenants/archives, DataRegionElsewhere, SlugTaken, TenantNotOpen, ValidationFailed, OSError.
    """
    check_name(slug)
    if organisation:
        services.check_organisation(organisation)
    size, sha256 = checksum_of(path)
    with ExitStack() as stack:
        archive = stack.enter_context(opened(path, is_foreign_allowed=is_foreign_allowed))
        manifest = archive.manifest
        if manifest.schema_version != code_version():
            raise ArchiveSchemaDiffers(
                archive=manifest.schema_version, code=code_version(), release=manifest.release
            )
        refuse_region(manifest.data_region)
        archive.verify(size=size, tell=tell)
        owner = stack.enter_context(closing(owner_connection()))
        _alone(owner, slug)
        tenant, restoration = _reserved(manifest, slug, organisation, sha256, now)
        with _taken_back_on_failure(tenant.id, now, tell):
            provision(tenant_id=tenant.id)
            _fill(owner, tenant, restoration, archive, tell)
    log.info("tenant.copied", extra={"tenant_id": str(tenant.id), "from": str(manifest.tenant_id)})
    return Restored(tenant, manifest)


def check_name(slug: str) -> None:
    """Look at the name before the archive is read. Raises ValidationFailed, SlugTaken.

    Whether a restore that was cut off may go on under it, `_reserved` finds out from the archive.
    """
    if not Restoration.objects.filter(slug=slug, finished_at=None).exists():
        services.check_free(slug)
    services.check_slug(slug)


def _alone(owner: Owner, slug: str) -> None:
    command = "SELECT pg_try_advisory_lock(%s, hashtext(%s))"
    row = owner.execute(command, [LOCK_CLASS, slug]).fetchone()
    if not (row and row[0]):
        raise ArchiveBusy(slug=slug)


@transaction.atomic
def _reserved(
    manifest: Manifest, slug: str, organisation: str, sha256: str, now: datetime
) -> tuple[Tenant, Restoration]:
    """The new tenant, or the one that a killed restore of this very archive has begun. Raises SlugTaken."""
    begun = Restoration.objects.filter(slug=slug, archive_sha256=sha256, finished_at=None).first()
    if begun is not None:
        tenant = Tenant.objects.filter(
            pk=begun.tenant_id, status=Tenant.Status.PROVISIONING
        ).first()
        if tenant is not None:
            return tenant, begun
    tenant = services.reserve(
        slug=slug,
        organisation=organisation or manifest.organisation,
        locale=manifest.locale,
    )
    made = Restoration.objects.create(
        tenant_id=tenant.id, slug=slug, archive_sha256=sha256, began_at=now
    )
    return tenant, made


@contextmanager
def _taken_back_on_failure(tenant_id: UUID, now: datetime, tell: Tell) -> Iterator[None]:
    try:
        yield
    except Exception as error:  # whatever it was flies on; what is half made must not stay
        if Erasure.objects.filter(tenant_id=tenant_id).exists():
            # Somebody erases it meanwhile, and takes with it what came of this.
            raise TenantNotOpen(state=Tenant.Status.CLOSED) from error
        discard(tenant_id=tenant_id, now=now, tell=tell)
        if isinstance(error, psycopg.DataError | psycopg.IntegrityError):
            reason = f"The database does not take its rows: {error.diag.message_primary}"
            raise ArchiveInvalid(reason=reason) from error
        raise


def discard(*, tenant_id: UUID, now: datetime, tell: Tell) -> None:
    """Take back a restored tenant that was never opened: nothing of it is left, no certificate either."""
    erase(tenant_id=tenant_id, now=now, tell=tell, is_at_once=True)
    Erasure.objects.filter(tenant_id=tenant_id).delete()


def _fill(
    owner: Owner, tenant: Tenant, restoration: Restoration, archive: Archive, tell: Tell
) -> None:
    row = owner.execute(
        "SELECT loaded_at IS NOT NULL FROM public.tenants_restoration WHERE id = %s",
        [restoration.pk],
    ).fetchone()
    if row and row[0]:
        return
    entry = archive.manifest.entries.get(MEMBERS)
    if entry is None or entry.size > LARGEST:
        raise ArchiveInvalid(reason=f"There is no {MEMBERS} in it that can be read.")
    members = read_members(archive.read(MEMBERS), rows=entry.rows or 0)
    ids = link_members(tenant, members) | {archive.manifest.tenant_id: tenant.id}
    _load_files(tenant.id, archive)
    with writing(owner, tenant.id):
        steady(owner)
        tables = load_tables(owner, tenant.schema_name, archive, tell)
        rewrite_ids(owner, tables, ids, archive.manifest.tenant_id, tenant.id)
        load_usage(owner, archive, ids, tenant.id)
        owner.execute(
            "UPDATE public.tenants_restoration SET loaded_at = now() WHERE id = %s",
            [restoration.pk],
        )
    for table in tables:
        owner.execute(sql.SQL("ANALYZE {}").format(table.identifier))


def _load_files(tenant_id: UUID, archive: Archive) -> None:
    # What an earlier try has left would make the storage choose other names.
    delete_files(tenant_id)
    for name in archive.manifest.entries:
        if not name.startswith(FILES):
            continue
        wanted = f"{folder_of(tenant_id)}/{name.removeprefix(FILES)}"
        try:
            saved = default_storage.save(wanted, File(file_of(archive.read(name)), name=wanted))
        except (SuspiciousFileOperation, FileExistsError, NotADirectoryError) as error:
            raise ArchiveInvalid(reason=f"{name} cannot be a file here.") from error
        if saved != wanted:
            raise ArchiveInvalid(reason=f"{name} cannot be a file here.")


@transaction.atomic
def finished(*, tenant_id: UUID, now: datetime) -> Tenant:
    """Open a restored tenant that has its plan. Harmless twice. Raises TenantNotOpen where it was erased.

    In one transaction: killed between the two, nobody could go on with the restore.
    """
    tenants = Tenant.objects.select_for_update().exclude(status=Tenant.Status.CLOSED)
    if not tenants.filter(pk=tenant_id).exists():
        raise TenantNotOpen(state=Tenant.Status.CLOSED)
    if Restoration.objects.filter(tenant_id=tenant_id, finished_at=None).update(finished_at=now):
        record(Action.TENANT_IMPORTED, Subject("tenant", tenant_id), tenant_id=tenant_id)
    return services.activate(tenant_id=tenant_id)
