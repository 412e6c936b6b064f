"""A folder of its own for uploads, and an import run to its rest."""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from uuid import UUID

import pytest

from apps.crm.models import Import
from apps.crm.services.imports import batches
from tenants.isolation import tenant_context
from tests.stack import REPOSITORY

CDNOW = REPOSITORY / "tests/data/cdnow/CDNOW_master.txt"
CUSTOMERS, PURCHASES = 23_570, 69_659


@pytest.fixture(autouse=True)
def uploads(settings, tmp_path: Path) -> Path:
    """Where uploaded files are kept."""
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    return tmp_path


@pytest.fixture
def work(now: datetime) -> Callable[..., Import]:
    """`work(tenant, import_id)`: what the task does, until the import rests."""

    def run(tenant, import_id: str) -> Import:
        with tenant_context(tenant):
            job_id = UUID(import_id)
            if batches.begin(import_id=job_id, now=now):
                while batches.advance(import_id=job_id, now=now):
                    pass
            return Import.objects.get(pk=job_id)

    return run


@pytest.fixture
def allow(now: datetime) -> Callable[..., None]:
    """`allow(tenant, contacts)`: an override of the plan's number of contacts."""
    from quotas import entitlements

    def override(tenant, contacts: int) -> None:
        entitlements.grant(
            tenant_id=tenant.id,
            source="override:test",
            plan="",
            features=(),
            limits={"contacts": contacts},
            rates={},
            ladder={},
            feature_ladder={},
            priority=100,
            now=now,
        )

    return override
