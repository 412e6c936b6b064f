"""`/exports` over HTTP: who may, what comes, and never another tenant's."""

import hashlib
import io
import json
import zipfile
from datetime import timedelta

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from billing.views import exports as views
from config.models import OutboxMessage
from quotas import entitlements
from tenants import archives
from tenants.models import Archive, Tenant
from tests.client import Api, member_of
from tests.factories import ArchiveFactory
from tests.tenants.endings import furnished, own_files  # noqa: F401
from tests.tenants.identity.people import program

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_files")]
EXPORTS = "/api/v1/exports"
BYTES = b"PK-of-this-tenant-alone"


def lying(tenant: Tenant, content: bytes = BYTES, **facts) -> Archive:
    """A completed export with its file."""
    made = ArchiveFactory(tenant=tenant, size_bytes=len(content), **facts)
    made.path = default_storage.save(f"{tenant.id}/exports/{made.pk}.zip", ContentFile(content))
    made.save()
    return made


@pytest.mark.django_db(transaction=True)
def test_the_whole_way_from_the_wish_to_the_file(api, now):
    sol = furnished("sol")
    client = api(sol)

    first = client.client.post(EXPORTS)
    begun = first.json()
    again = client.post(EXPORTS, status=202)
    assert client.client.get(f"{EXPORTS}/{begun['id']}/download").status_code == 404
    archives.run_export(archive_id=begun["id"], now=now)
    done = client.get(f"{EXPORTS}/{begun['id']}")
    file = client.client.get(done["download_url"])
    body = file.getvalue()

    assert (first.status_code, first["Location"]) == (202, f"{EXPORTS}/{begun['id']}")
    assert (begun["status"], begun["download_url"], again["id"]) == ("queued", None, begun["id"])
    assert begun["requested_by"] == str(member_of(sol).person_id)
    assert (done["status"], done["steps_done"]) == ("completed", done["steps_total"])
    assert (done["size_bytes"], done["sha256"]) == (len(body), hashlib.sha256(body).hexdigest())
    assert client.get(EXPORTS)["results"] == [done]
    manifest = json.loads(zipfile.ZipFile(io.BytesIO(body)).read("manifest.json"))
    assert (manifest["tenant_id"], manifest["plan"]) == (str(sol.id), "growth")
    assert "public/tenants_apikey.csv" not in manifest["entries"]


def test_the_file_comes_as_a_download_that_nobody_keeps(acme, api, now):
    made = lying(acme, created_at=now)
    answer = api(acme).client.get(f"{EXPORTS}/{made.pk}/download", headers={"Accept": "*/*"})

    assert answer.streaming
    assert answer.getvalue() == BYTES
    names = ("Content-Type", "Content-Length", "Content-Disposition", "Cache-Control",
             "X-Content-Type-Options")  # fmt: skip
    assert [answer[name] for name in names] == [
        "application/zip",
        str(len(BYTES)),
        f'attachment; filename="acme-{now:%Y-%m-%d}.zip"',
        "private, no-store",
        "nosniff",
    ]
    accepted = api(acme).client.get(
        f"{EXPORTS}/{made.pk}/download", headers={"Accept": "application/zip"}
    )
    assert accepted.status_code == 200


@pytest.mark.parametrize("role", ["billing", "editor", "member", "read_only"])
def test_only_an_owner_and_an_admin_may(acme, api, role):
    made = lying(acme)
    client = api(acme, role)

    refusals = [
        client.post(EXPORTS, status=403),
        client.get(EXPORTS, status=403),
        client.get(f"{EXPORTS}/{made.pk}", status=403),
        client.get(f"{EXPORTS}/{made.pk}/download", status=403),
    ]

    assert [refusal["needed_permission"] for refusal in refusals] == [
        "exports:write", "exports:read", "exports:read", "exports:download",
    ]  # fmt: skip
    assert api(acme, "admin").get(f"{EXPORTS}/{made.pk}")["id"] == str(made.pk)


def test_a_key_made_to_read_takes_no_archive_along_whoever_made_it(acme, api):
    made = lying(acme)
    statuses = {}
    for scopes in (["read"], ["readonly"], ["delete", "read"], ["read", "write"], ["admin"]):
        wish = {"name": "k", "scopes": scopes}
        key = f"Api-Key {api(acme).post('/api/v1/api-keys', wish)['key']}"
        for address in (f"{EXPORTS}/{made.pk}/download", f"/exports/{made.pk}/download"):
            answer = program(acme, key).get(address)
            body = answer.getvalue() if answer.streaming else answer.content
            statuses[(*scopes, address[:4])] = (answer.status_code, BYTES in body)

    assert statuses == {
        (*scopes, address): (200, True) if may else (403, False)
        for scopes, may in (
            (("read",), False), (("readonly",), False), (("delete", "read"), False),
            (("read", "write"), True), (("admin",), True),
        )
        for address in ("/api", "/exp")
    }  # fmt: skip


def test_without_credentials_or_by_a_key_that_reads_nothing_is_begun(acme, api):
    made = lying(acme)
    key = api(acme).post("/api/v1/api-keys", {"name": "k", "scopes": ["read"]})["key"]

    assert program(acme).get(f"{EXPORTS}/{made.pk}/download").status_code == 401
    assert program(acme).post(EXPORTS).status_code == 401
    Api(acme, {"Authorization": f"Api-Key {key}"}).post(EXPORTS, status=403)
    assert Archive.objects.waiting().count() == 0


def test_another_tenant_s_file_is_found_by_no_id_and_no_path(acme, globex, api):
    theirs = lying(globex, b"canary-of-globex")
    crossed = ArchiveFactory(tenant=acme, path=theirs.path)
    client = api(acme)

    for address in (f"{EXPORTS}/{theirs.pk}", f"{EXPORTS}/{theirs.pk}/download"):
        assert client.get(address, status=404)["code"] == "not_found"
    answer = client.client.get(f"{EXPORTS}/{crossed.pk}/download")
    assert answer.status_code == 400
    assert b"canary" not in answer.content
    assert [row["id"] for row in client.get(EXPORTS)["results"]] == [str(crossed.pk)]


@pytest.mark.parametrize("state", ["suspended", "closing", "past due"])
def test_whoever_is_refused_everything_else_takes_their_data_along(acme, api, now, state):
    made, client = lying(acme), api(acme)
    if state == "past due":
        entitlements.hold(tenant_id=acme.id, code="subscription_past_due")
    else:
        Tenant.objects.filter(pk=acme.pk).update(
            status=state, suspended_reason="x", erase_after=now + timedelta(days=1)
        )
    assert client.client.get("/api/v1/contacts").status_code in {402, 403}

    begun = client.post(EXPORTS, status=202)
    (message,) = OutboxMessage.objects.filter(task="tenants.export_archive")
    assert message.arguments == {"archive_id": begun["id"], "plan": "growth"}
    assert client.client.get(f"{EXPORTS}/{made.pk}/download").getvalue() == BYTES


def test_what_is_over_is_not_shown_and_not_downloaded(acme, api, now):
    over = lying(acme, expires_at=now)
    gone = ArchiveFactory(tenant=acme, path=f"{acme.id}/exports/none.zip")
    client = api(acme)

    for address in (f"{EXPORTS}/{over.pk}", f"{EXPORTS}/{over.pk}/download"):
        client.get(address, status=404)
    client.get(f"{EXPORTS}/{gone.pk}/download", status=404)
    assert [row["id"] for row in client.get(EXPORTS)["results"]] == [str(gone.pk)]


def test_exports_are_held_to_a_number_a_day(acme, globex, api, monkeypatch):
    monkeypatch.setattr(views, "RATE", "2/d")
    client = api(acme)
    for _ in range(2):
        client.post(EXPORTS, status=202)

    assert client.post(EXPORTS, status=429)["code"] == "rate_limited"
    api(globex).post(EXPORTS, status=202)
