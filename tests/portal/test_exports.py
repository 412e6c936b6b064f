"""The page on which an owner begins an export, watches it and downloads it."""

import pytest
from django.core.files.base import ContentFile
from django.core.files.storage import default_storage

from tenants.models import Archive
from tests.factories import ArchiveFactory
from tests.portal.browser import found, signed_in
from tests.tenants.endings import own_files  # noqa: F401

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("own_files")]


def test_an_owner_finds_the_way_from_the_plan_and_begins_one(acme):
    browser = signed_in(acme)
    assert 'href="/exports"' in browser.get("/plan")
    browser.get("/exports")
    assert "Nothing has been exported yet." in browser.text

    browser.post("/exports", status=302)
    page = browser.get("/exports")

    made = Archive.objects.get(tenant_id=acme.id)
    assert (made.status, str(made.requested_by)) == ("queued", "owner@acme.test")
    assert "there is one at a time" in browser.text
    row = found(r'hx-get="(/exports/[^"]+/row)"', page)
    assert "waiting" in browser.get(row)
    Archive.objects.filter(pk=made.pk).update(status="running", steps_done=3, steps_total=12)
    assert 'value="3" max="12"' in browser.get(row)
    Archive.objects.filter(pk=made.pk).update(status="completed")
    assert browser.get(row) == ""
    assert browser.last["HX-Refresh"] == "true"


def test_a_finished_one_is_downloaded_from_the_page(acme, now):
    made = ArchiveFactory(tenant=acme, size_bytes=2_048, expires_at=now.replace(year=now.year + 1))
    made.path = default_storage.save(f"{acme.id}/exports/{made.pk}.zip", ContentFile(b"PK"))
    made.save()
    browser = signed_in(acme)

    way = found(r'href="(/exports/[^"]+/download)"', browser.get("/exports"))
    answer = browser.client.get(way)

    assert "ready" in browser.text
    assert "2.0" in browser.text
    assert answer.getvalue() == b"PK"
    assert "no-store" in answer["Cache-Control"]


@pytest.mark.parametrize("role", ["billing", "editor", "read_only"])
def test_others_see_no_way_and_find_no_page(acme, role):
    browser = signed_in(acme, role)

    assert 'href="/exports"' not in browser.get("/plan")
    browser.get("/exports", status=403)


def test_it_speaks_spanish(acme):
    browser = signed_in(acme, language="es")

    browser.get("/exports")

    assert "Todavía no se ha exportado nada." in browser.text
    assert "Exportarlo todo" in browser.text


def test_the_plan_page_shows_what_is_used_of_the_machine(acme, now):
    from quotas import storage
    from quotas.meters import EPOCH
    from quotas.models import UsageTotal

    UsageTotal.objects.create(
        tenant_id=acme.id, meter=storage.STORAGE_BYTES, period_start=EPOCH, used=3 * 2**30
    )
    browser = signed_in(acme)

    page = browser.get("/plan")

    assert "Storage 3.0 GB of 18.6 GB" in browser.text.replace("\N{NO-BREAK SPACE}", " ")
    assert "Background tasks at the same time 0 of 4" in browser.text
    assert 'value="3221225472" max="20000000000" aria-labelledby="share-storage"' in page
