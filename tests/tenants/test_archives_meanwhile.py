"""A restore, and what others do to its tenant at the same time."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from uuid import UUID

import pytest
from django.db import connections

from billing.services import copies, offboarding
from tenants import archives
from tenants.engine.owner import owner_connection
from tenants.life.refusals import TenantNotOpen
from tenants.models import Erasure, Restoration, Tenant
from tenants.services import reserve
from tests.tenants.endings import (
    LEFT_OF_ERASED,
    furnished,
    imported,
    own_files,  # noqa: F401
    quiet,
    traces,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]
_WAITING = "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND locktype = 'transactionid')"


@pytest.fixture
def archive(tmp_path: Path) -> Path:
    to = tmp_path / "sol.zip"
    sol = furnished("sol")
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)
    return to


def test_a_restore_that_is_erased_meanwhile_is_refused_and_leaves_nothing(archive):
    erasing: list[threading.Thread] = []
    ids: list[UUID] = []

    def erase() -> None:
        try:
            now = datetime.now(UTC)
            offboarding.erase(tenant_id=ids[0], now=now, tell=quiet, is_at_once=True)
        finally:
            connections.close_all()

    def tell(text: str) -> None:
        if not erasing and text.endswith("loaded"):
            ids.append(Tenant.objects.get(slug="nova").id)
            erasing.append(threading.Thread(target=erase))
            erasing[0].start()
            while not Erasure.objects.filter(tenant_id=ids[0]).exists():
                time.sleep(0.01)

    with pytest.raises(TenantNotOpen):
        imported(archive, tell=tell)
    erasing[0].join()

    assert traces(ids[0]) == LEFT_OF_ERASED
    assert Erasure.objects.get(tenant_id=ids[0]).finished_at is not None
    assert imported(archive).status == "active"


def test_a_restore_is_finished_when_its_tenant_is_open_and_not_before():
    now = datetime.now(UTC)
    nova = reserve(slug="nova", organisation="Nova")
    row = Restoration.objects.create(
        tenant_id=nova.id, slug="nova", archive_sha256="0" * 64, began_at=now
    )

    def finish() -> str:
        try:
            return archives.finished(tenant_id=nova.id, now=now).status
        finally:
            connections.close_all()

    with ThreadPoolExecutor(1) as threads, closing(owner_connection()) as owner:
        owner.execute("BEGIN")
        owner.execute("SELECT FROM public.tenants_tenant WHERE id = %s FOR UPDATE", [nova.id])
        finishing = threads.submit(finish)
        while owner.execute(_WAITING).fetchone() != (True,):
            time.sleep(0.01)
        # Killed now, it must be one that goes on.
        assert Restoration.objects.get(pk=row.pk).finished_at is None
        owner.execute("COMMIT")
        assert finishing.result() == "active"
    assert Restoration.objects.get(pk=row.pk).finished_at == now
