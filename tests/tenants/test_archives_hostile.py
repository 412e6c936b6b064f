"""Archives of anybody's making: a clear refusal, and nothing is left of the attempt."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from billing.services import copies
from tenants.archives.refusals import (
    ArchiveForeign,
    ArchiveInvalid,
    ArchiveSchemaDiffers,
    ArchiveVersionUnknown,
)
from tenants.models import Person, Tenant
from tests.tenants.endings import furnished, imported, own_files, quiet  # noqa: F401
from tests.tenants.forgeries import Forgery, refused, state

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


@pytest.fixture
def sol() -> Tenant:
    return furnished("sol")


@pytest.fixture
def archive(sol: Tenant, tmp_path: Path) -> Path:
    to = tmp_path / "sol.zip"
    copies.export_to(tenant_id=sol.id, to=to, now=datetime.now(UTC), tell=quiet)
    return to


def test_a_truncated_archive_is_refused(archive):
    body = archive.read_bytes()
    for part in (0.0, 0.3, 0.9, 0.999):
        archive.write_bytes(body[: int(len(body) * part)])
        refused(archive, ArchiveInvalid, "whole zip file")


def test_a_flipped_bit_anywhere_is_refused_or_changes_nothing(archive):
    body = archive.read_bytes()
    with zipfile.ZipFile(archive) as zipped:
        offsets = [info.header_offset + 60 + len(info.filename) for info in zipped.infolist()]
    before = state()
    for offset in offsets:
        damaged = bytearray(body)
        damaged[offset] ^= 0x10
        archive.write_bytes(bytes(damaged))
        with pytest.raises((ArchiveInvalid, ArchiveForeign)):
            imported(archive)
    assert state() == before


def test_something_else_than_a_zip_is_refused(tmp_path):
    path = tmp_path / "x.zip"
    for body in (b"", b"hello", b"PK\x05\x06", b"PK\x05\x06" + b"\xff" * 18, bytes(100_000)):
        path.write_bytes(body)
        with pytest.raises(ArchiveInvalid):
            imported(path)


def test_changed_data_are_refused_even_with_checksums_made_good(archive):
    forged = Forgery(archive)
    table = "tables/crm_contact.csv"
    forged.replace(table, forged.parts[table].replace(b"c1@sol.test", b"c9@sol.test"))
    refused(forged.written(), ArchiveForeign)


def test_changed_data_with_old_checksums_are_refused(archive):
    forged = Forgery(archive)
    table = "tables/crm_contact.csv"
    forged.parts[table] = forged.parts[table].replace(b"c1@sol.test", b"c9@sol.test")
    refused(forged.sealed(), ArchiveInvalid, "not what the manifest says")


def test_an_archive_of_another_installation_needs_a_word_of_trust(archive, settings):
    settings.SECRET_KEY = "another-installation-" * 3
    refused(archive, ArchiveForeign)
    assert imported(archive, is_foreign_allowed=True).status == "active"


def test_a_manifest_that_is_newer_or_malformed_is_refused(archive):
    for change, refusal in (
        ({"format": 2}, ArchiveVersionUnknown),
        ({"schema_version": "0123456789abcdef"}, ArchiveSchemaDiffers),
        ({"schema_version": 7}, ArchiveInvalid),
        ({"tenant_id": "x"}, ArchiveInvalid),
        ({"entries": []}, ArchiveInvalid),
        ({"organisation": "x" * 5_000}, ArchiveInvalid),
        ({"slug": "a\0b"}, ArchiveInvalid),
    ):
        forged = Forgery(archive)
        forged.manifest |= change
        refused(forged.sealed_as("changed.zip"), refusal)


def test_a_name_that_leads_elsewhere_is_refused(archive):
    for name in (
        "files/../../escaped.txt",
        "files//etc/passwd",
        "/etc/passwd",
        "files/a\\..\\b",
        "files/./x",
        "files/\x1b[2J",
        "files/",
        "tables/../x.csv",
        "tables/crm_contact; DROP TABLE x.csv",
        'tables/crm".csv',
        "elsewhere/x",
        "files/" + "x" * 500,
        "files/" + "é" * 128,  # 256 bytes
    ):
        forged = Forgery(archive)
        forged.replace(name, b"boo", rows=0 if name.startswith("tables") else None)
        refused(forged.sealed_as("changed.zip"), ArchiveInvalid, "may hold no")


def test_tables_and_columns_that_are_not_ours_are_refused(archive):
    members = b"member_id,person_id,email,name,locale,role\n"
    for name, body, facts, says in (
        ("tables/pg_authid.csv", b"a\n1\n", {"rows": 1, "columns": ["a"]}, "are not those"),
        ("tables/crm_contact.csv", b"id\n1\n", {"rows": 1, "columns": ["id"]}, "are not those"),
        ("members.csv", b"a,b\n", {"rows": 0}, "not what the manifest"),
        ("members.csv", members + b"1,2,3\n", {"rows": 1}, "malformed"),
        ("public/quotas_usagetotal.csv", b"x\n", {"rows": 0, "columns": ["x"]}, "not as it is"),
    ):
        forged = Forgery(archive)
        forged.replace(name, body, **facts)
        refused(forged.sealed_as("changed.zip"), ArchiveInvalid, says)


def test_rows_that_the_schema_does_not_take_are_refused_and_taken_back(archive):
    forged = Forgery(archive)
    table = "tables/crm_contact.csv"
    lines = forged.parts[table].splitlines(keepends=True)
    forged.replace(table, b"".join([*lines, lines[-1]]), rows=4)
    refused(forged.sealed(), ArchiveInvalid, "does not take")


def test_rows_that_point_to_nothing_are_refused_and_taken_back(archive):
    forged = Forgery(archive)
    table = "tables/crm_company.csv"
    header = forged.parts[table].splitlines(keepends=True)[0]
    forged.replace(table, header, rows=0)
    refused(forged.sealed(), ArchiveInvalid, "does not take")


def test_usage_of_another_tenant_is_refused_and_taken_back(archive, sol):
    luna = furnished("luna")
    forged = Forgery(archive)
    usage = "public/quotas_usagetotal.csv"
    forged.replace(usage, forged.parts[usage].replace(str(sol.id).encode(), str(luna.id).encode()))
    refused(forged.sealed(), ArchiveInvalid, "another tenant")


def test_nobody_makes_an_operator_a_member(archive):
    Person.objects.create_superuser("boss@plaza.test", "market-square-2026")
    forged = Forgery(archive)
    forged.replace(
        "members.csv",
        forged.parts["members.csv"].replace(b"admin@sol.test", b"Boss@Plaza.test"),
    )
    refused(forged.sealed(), ArchiveInvalid, "operator")


def test_members_without_even_a_header_are_refused(archive):
    forged = Forgery(archive)
    forged.replace("members.csv", b"", rows=0)
    refused(forged.sealed(), ArchiveInvalid, "members.csv is not what the manifest says")


def test_a_small_file_does_not_become_a_large_one(archive, monkeypatch):
    monkeypatch.setattr("tenants.archives.reading._ALWAYS_ALLOWED", 1 << 20)
    forged = Forgery(archive)
    forged.replace("files/zeros", bytes(30 << 20))
    refused(forged.sealed(), ArchiveInvalid, "too tightly")


def test_an_entry_longer_than_it_says_is_not_read_to_its_end(archive):
    forged = Forgery(archive)
    forged.replace("files/zeros", bytes(5 << 20))
    forged.manifest["entries"]["files/zeros"]["size"] = 10
    refused(forged.sealed(), ArchiveInvalid, "longer than it should be")


def test_entries_beside_the_manifest_or_twice_are_refused(archive):
    forged = Forgery(archive)
    forged.parts["files/extra"] = b"x"
    refused(forged.sealed(), ArchiveInvalid, "other entries")


def test_a_file_that_would_have_to_be_a_folder_too_is_refused_and_taken_back(archive):
    forged = Forgery(archive)
    forged.replace("files/logo.bin/inside", b"x")
    refused(forged.sealed(), ArchiveInvalid, "cannot be a file")


def test_a_taken_slug_is_refused_before_anything_is_made(archive):
    furnished("nova")
    before = state()
    with pytest.raises(Exception, match="slug_taken"):
        imported(archive)
    assert state() == before


def test_settings_of_alerts_that_nobody_could_have_made_are_refused(archive, sol):
    forged = Forgery(archive)
    table = "public/quotas_alertsetting.csv"
    header = forged.parts[table].splitlines(keepends=True)[0]
    values = {
        "tenant_id": str(sol.id), "meter": "emails", "by_mail": "t", "by_webhook": "t",
        "extra_percents": "{-5}", "roles": "{owner}", "quiet_hours": "48",
    }  # fmt: skip
    row = ",".join(values[name] for name in header.decode().strip().split(","))
    forged.replace(table, header + row.encode() + b"\n", rows=1)
    refused(forged.sealed(), ArchiveInvalid, "does not take")
