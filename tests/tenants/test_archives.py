"""Export and restore: what goes in comes out again under a new name, and nothing secret goes along."""

import json
import zipfile
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from django.core.files.storage import default_storage
from psycopg import sql
from psycopg.errors import LockNotAvailable

from apps.crm.models import Contact
from billing.models import Subscription
from billing.services import copies
from quotas.entitlements import snapshot
from quotas.merging import Cap
from quotas.models import AlertSetting, UsageEvent, UsageTotal
from tenants import archives
from tenants.archives.manifest import Manifest
from tenants.engine.owner import owner_connection
from tenants.isolation import tenant_context
from tenants.models import Archive, Member, Person, Tenant
from tests.factories import AlertSettingFactory, ImportFactory, SpendCapFactory, UsageEventFactory
from tests.tenants.endings import (
    Killed,
    checksum,
    dying,
    furnished,
    imported,
    members,
    own_files,  # noqa: F401
    quiet,
)

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


@pytest.fixture
def sol() -> Tenant:
    return furnished("sol")


@pytest.fixture
def archive(sol: Tenant, tmp_path: Path) -> Path:
    to = tmp_path / "sol.zip"
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)
    return to


def content(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as zipped:
        return {name: zipped.read(name) for name in zipped.namelist()}


def test_an_archive_holds_data_and_files_and_nothing_secret(sol, archive):
    parts = content(archive)
    manifest = json.loads(parts["manifest.json"])
    with closing(owner_connection()) as owner:
        rows = owner.execute(
            "SELECT password FROM public.tenants_person"
            " UNION ALL SELECT key_hash FROM public.tenants_apikey"
            " UNION ALL SELECT prefix FROM public.tenants_apikey"
            " UNION ALL SELECT token_hash FROM public.tenants_refreshtoken"
            " UNION ALL SELECT session_key FROM public.django_session"
        ).fetchall()

    secrets = [row[0].encode() for row in rows]
    assert len(secrets) == 10
    assert [name for name, body in parts.items() if any(s in body for s in secrets)] == []
    assert parts["files/logo.bin"] == bytes(range(256))
    assert (manifest["slug"], manifest["plan"]) == ("sol", "growth")
    assert manifest["entries"]["tables/crm_contact.csv"]["rows"] == 3
    assert b"c2@sol.test" in parts["tables/crm_contact.csv"]
    assert archive.stat().st_mode & 0o777 == 0o600


def test_a_restored_tenant_holds_the_same_rows_and_files_under_ids_of_its_own(
    sol, archive, tmp_path, api
):
    luna = furnished("luna")
    before = checksum(sol), checksum(luna)

    nova = imported(archive, plan="starter")

    assert (checksum(sol), checksum(luna)) == before
    assert (nova.status, nova.organisation, nova.id == sol.id) == ("active", "Sol Inc.", False)
    again = tmp_path / "nova.zip"
    copies.export_to(tenant_id=nova.id, to=again, now=datetime.now(UTC), tell=quiet)
    first, second = content(archive), content(again)
    assert tables(first) == tables(second)
    assert second["files/imports/first.csv"] == b"a,b\n1,2\n"
    found = api(nova).get("/api/v1/contacts")
    assert {row["email"] for row in found["results"]} == {f"c{n}@sol.test" for n in range(3)}
    assert Subscription.objects.get(tenant=nova).status == "trialing"


def tables(parts: dict[str, bytes]) -> dict[str, bytes]:
    return {name: body for name, body in parts.items() if name.startswith("tables/")}


def test_people_are_linked_by_e_mail_and_nothing_of_theirs_is_changed(sol, archive):
    person = Person.objects.get(email="owner@sol.test")
    Person.objects.filter(pk=person.pk).update(name="Renamed since", is_active=False)
    Person.objects.get(email="admin@sol.test").delete()
    before = Person.objects.filter(email="owner@sol.test").values().get()

    nova = imported(archive)

    assert members(nova) == [("admin@sol.test", "admin"), ("owner@sol.test", "owner")]
    assert Person.objects.filter(email="owner@sol.test").values().get() == before
    assert not Person.objects.get(email="admin@sol.test").has_usable_password()


def test_ids_of_people_members_and_the_folder_become_those_of_the_new_tenant(sol, tmp_path):
    member = Member.objects.get(tenant=sol, role="owner")
    with tenant_context(sol):
        ImportFactory(file_path=f"{sol.id}/imports/first.csv", created_by_id=member.pk)
        Contact.objects.filter(email="c0@sol.test").update(owner_id=member.pk)
    to = tmp_path / "sol.zip"
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)

    nova = imported(to)

    here = Member.objects.get(tenant=nova, role="owner")
    with tenant_context(nova):
        assert Contact.objects.get(email="c0@sol.test").owner_id == here.pk != member.pk
    path = _only(nova, "crm_import", "file_path")
    assert (path, default_storage.exists(path)) == (f"{nova.id}/imports/first.csv", True)


def _only(tenant: Tenant, table: str, column: str) -> Any:
    with closing(owner_connection()) as owner:
        command = sql.SQL("SELECT {} FROM {}").format(
            sql.Identifier(column), sql.Identifier(tenant.schema_name, table)
        )
        return owner.execute(command).fetchall()[0][0]


def test_usage_comes_along_and_seats_count_the_new_members(sol, archive):
    nova = imported(archive)

    seats = UsageTotal.objects.get(tenant_id=nova.id, meter="seats")
    events = UsageEvent.objects.filter(tenant_id=nova.id, meter="seats")
    assert seats.used == 2
    assert {each.key for each in events} == {f"member:{each.pk}" for each in nova.members.all()}


def test_how_a_tenant_is_told_of_its_usage_and_its_spend_cap_come_along(sol, tmp_path):
    SpendCapFactory(tenant_id=sol.id, amount=5_000, unit="USD")
    member = Member.objects.get(tenant=sol, role="owner")
    UsageEventFactory(tenant_id=sol.id, meter="emails", key="stamped", member_id=member.pk)
    AlertSettingFactory(tenant_id=sol.id, meter="emails", extra_percents=[25, 60], by_mail=False)
    to = tmp_path / "sol.zip"
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)

    nova = imported(to)

    row = AlertSetting.objects.get(tenant_id=nova.id)
    assert (row.meter, row.extra_percents, row.by_mail, row.quiet_hours) == (
        "emails", [25, 60], False, 48,
    )  # fmt: skip
    assert snapshot(nova.id, now=datetime.now(UTC)).cap == Cap(5_000, "USD")
    event = UsageEvent.objects.get(tenant_id=nova.id, key="stamped")
    assert event.member_id == Member.objects.get(tenant=nova, role="owner").pk


def test_a_killed_export_leaves_no_archive_and_the_next_one_is_whole(sol, tmp_path):
    to = tmp_path / "sol.zip"
    with pytest.raises(Killed):
        copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=dying(5))
    assert not to.exists()
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)
    assert imported(to).status == "active"


def test_a_restore_that_is_cut_off_anywhere_goes_on_and_ends_the_same(sol, archive):
    told: list[str] = []
    before = checksum(sol)
    imported(archive, "whole", tell=told.append)
    loads = [number for number, text in enumerate(told) if "loaded" in text]

    for moment in (loads[0], loads[len(loads) // 2], loads[-1]):
        with pytest.raises(Killed):
            imported(archive, tell=dying(moment))
        assert Tenant.objects.get(slug="nova").status == "provisioning"
    nova = imported(archive)

    assert nova.status == "active"
    assert members(nova) == members(Tenant.objects.get(slug="whole"))
    assert UsageTotal.objects.get(tenant_id=nova.id, meter="seats").used == 2
    assert checksum(sol) == before


def test_an_export_by_task_lies_among_the_files_and_a_second_one_leaves_it_out(sol, now):
    row = copies.request_export(tenant_id=sol.id)
    assert copies.request_export(tenant_id=sol.id).pk == row.pk
    first = archives.run_export(archive_id=row.pk, now=now)
    assert archives.run_export(archive_id=row.pk, now=now).sha256 == first.sha256

    assert (first.status, first.path) == (
        Archive.Status.COMPLETED,
        f"{sol.id}/exports/{row.pk}.zip",
    )
    assert default_storage.size(first.path) == first.size_bytes
    assert first.manifest["plan"] == "growth"
    second = archives.run_export(
        archive_id=copies.request_export(tenant_id=sol.id).pk, now=now + timedelta(hours=1)
    )
    assert set(second.manifest["entries"]) == set(first.manifest["entries"])


def test_an_export_sees_one_moment_of_the_data_and_of_the_tables(sol, tmp_path):
    waited: list[bool] = []

    def tell(text: str) -> None:
        if not text.startswith("table 1 "):
            return
        with tenant_context(sol):
            Contact.objects.all().delete()
        rewriting = f"ALTER TABLE {sol.schema_name}.crm_contact ADD late float DEFAULT random()"
        with closing(owner_connection()) as owner:
            owner.execute("SET lock_timeout = '50ms'")
            with pytest.raises(LockNotAvailable):
                owner.execute(rewriting)
        waited.append(True)

    to = tmp_path / "sol.zip"
    manifest: Manifest = copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=tell)
    assert (waited, manifest.entries["tables/crm_contact.csv"].rows) == ([True], 3)
    assert UUID(json.loads(content(to)["manifest.json"])["tenant_id"]) == sol.id
