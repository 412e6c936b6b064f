"""A ward: three healthy tenants, committed, in which a test plants one fault and looks what is found."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest
import redis
from django.conf import settings
from django.test import override_settings

from config.ids import new_id
from config.local.home import default_home
from config.local.postgres_cluster import SUPERUSER
from config.local.secrets import secrets_of
from tests.conftest import ACME_ID, GLOBEX_ID


@dataclass
class Ward:
    """`sick` is the tenant in which faults are planted: its role is no other test's."""

    owner: psycopg.Connection[Any]
    sick: Any
    acme: Any
    lacking: list[str] = field(default_factory=list)

    @property
    def stall(self) -> str:
        return self.sick.schema_name

    def run(self, sql: str) -> None:
        if sql:
            self.owner.execute(self.filled(sql).encode())

    def filled(self, text: str) -> str:
        named = {"{stall}": self.stall, "{id}": str(self.sick.id), "{acme}": str(self.acme.id)}
        for name, value in (named | {"{database}": self.owner.info.dbname}).items():
            text = text.replace(name, value)
        return text

    @contextmanager
    def mighty(self) -> Iterator[None]:
        """What is run inside is run by the embedded server's superuser."""
        mine, info = self.owner, self.owner.info
        password = secrets_of(default_home())["postgres_superuser_password"]
        with psycopg.connect(
            host=info.host, port=info.port, dbname=info.dbname, user=SUPERUSER, password=password,
            autocommit=True,
        ) as superuser:  # fmt: skip
            self.owner = superuser
            try:
                yield
            finally:
                self.owner = mine

    @contextmanager
    def planted(self, plant: str, undo: str) -> Iterator[None]:
        self.run(plant)
        try:
            yield
        finally:
            self.run(undo)

    def found(self) -> list[Any]:
        """What the doctor finds beyond what only a superuser could take away in this cluster."""
        from tenants.doctor.examination import examine

        ours = {self.sick.id, ACME_ID, GLOBEX_ID}
        return [
            one
            for one in examine(now=datetime.now(UTC))
            if not (one.code in {"public_may", "catalogs_open"} and self.lacking)
            # Roles are the cluster's: other tests leave some of their own behind.
            and not (one.code == "role_without_tenant" and one.fault.tenant_id not in ours)
        ]

    def codes(self) -> list[str]:
        return [one.code for one in self.found()]

    def told(self) -> list[str]:
        return [f"{one.code}: {one.fault.what}" for one in self.found()]

    def mend(self) -> Any:
        from tenants.doctor.examination import mend

        return mend(self.found(), now=datetime.now(UTC))


@pytest.fixture(scope="module")
def _own_folder(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Other tests leave files of tenants that are gone."""
    was: Any = settings.STORAGES
    folder = {"OPTIONS": {"location": str(tmp_path_factory.mktemp("files"))}}
    storages = was | {"default": was["default"] | folder}
    with override_settings(STORAGES=storages):
        yield


@pytest.fixture(scope="module")
def _alone() -> Iterator[None]:
    """Roles are the cluster's: what is planted in them is a fault in another worker's ward too."""
    there: Any = settings.DATABASE_OWNER
    with psycopg.connect(
        dbname=there["NAME"], user=there["USER"], password=there["PASSWORD"],
        host=there["HOST"], port=there["PORT"], autocommit=True,
    ) as shared:  # fmt: skip
        shared.execute("SELECT pg_advisory_lock(hashtext('the doctor''s tests'))")
        yield


@pytest.fixture(scope="module")
def ward(
    django_db_setup: None, django_db_blocker: Any, _own_folder: None, _alone: None
) -> Iterator[Ward]:
    from tenants.engine.owner import owner_connection
    from tenants.granting import prepare_rights
    from tenants.models import Template, Tenant
    from tenants.preparing import prepare_roles
    from tenants.provisioning import provision
    from tenants.roles import create_role_sql, drop_role_sql
    from tests.tenants.schemas import drop_all

    redis.Redis.from_url(settings.REDIS_URL).flushdb()
    with django_db_blocker.unblock(), owner_connection() as owner:
        drop_all()  # schemas of sign-ups in earlier tests, whose rows were rolled back
        lacking = prepare_roles().lacking
        prepare_rights()
        tenants = [
            _committed(ident, slug)
            for ident, slug in ((ACME_ID, "acme"), (GLOBEX_ID, "globex"), (new_id(), "sick"))
        ]
        try:
            provision(tenant_id=tenants[2].id)
            for tenant in tenants:
                owner.execute(create_role_sql(tenant.schema_name).encode())
            newest = Template.objects.order_by("made_at").last()
            Tenant.objects.update(schema_version=newest.version if newest else "")
            yield Ward(owner, sick=tenants[2], acme=tenants[0], lacking=lacking)
        finally:
            sick = tenants[2].schema_name
            owner.execute(f'DROP SCHEMA IF EXISTS "{sick}" CASCADE; {drop_role_sql(sick)}'.encode())
            for tenant in tenants:
                tenant.delete()


def _committed(tenant_id: Any, slug: str) -> Any:
    from tests.conftest import _tenant_row

    return _tenant_row(tenant_id, slug)
