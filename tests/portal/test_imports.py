"""Imports through the page: upload, watch, be told what was refused and what the plan does not allow."""

from datetime import datetime
from uuid import UUID

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile

from apps.crm.models import Contact, Import
from apps.crm.services.imports import batches
from config.needs import Meter
from quotas import ledger
from tenants.isolation import tenant_context
from tests import factories
from tests.portal.browser import Browser, found, signed_in

pytestmark = pytest.mark.django_db
HEADER = "email,first_name\n"


def file_of(rows: int, *, broken: int = 0) -> SimpleUploadedFile:
    lines = [f"no-address-{number},X\n" for number in range(broken)]
    lines += [f"c{number}@x.test,Ana\n" for number in range(rows)]
    return SimpleUploadedFile("customers.csv", (HEADER + "".join(lines)).encode(), "text/csv")


def upload(browser: Browser, file: SimpleUploadedFile | None, *, status: int, **fields: str) -> str:
    return browser.post("/imports", {**fields, **({"file": file} if file else {})}, status=status)


def run(tenant, now: datetime) -> Import:
    """What the worker does, until the newest import rests."""
    with tenant_context(tenant):
        job = Import.objects.latest("id")
        if batches.begin(import_id=job.pk, now=now):
            while batches.advance(import_id=job.pk, now=now):
                pass
        return Import.objects.get(pk=job.pk)


def test_a_file_is_uploaded_watched_and_done(acme, now):
    browser = signed_in(acme)

    upload(browser, file_of(3), status=302)
    assert browser.last["Location"] == "/imports"
    page = browser.get("/imports")
    row = found(r'hx-get="(/imports/[0-9a-f-]{36}/row)"', page)
    assert "customers.csv waiting" in browser.text
    run(acme, now)

    page = browser.get(row)
    assert "<html" not in page
    assert "hx-get" not in page
    assert "customers.csv done" in browser.text
    assert "3 / 3" in browser.text
    with tenant_context(acme):
        assert Contact.objects.count() == 3


def test_refused_rows_are_listed_with_their_reasons(acme, now):
    browser = signed_in(acme)
    upload(browser, file_of(1, broken=2), status=302)
    job = run(acme, now)

    page = browser.get("/imports")
    assert f'href="/imports/{job.pk}/errors"' in page
    browser.get(f"/imports/{job.pk}/errors")

    assert browser.text.count("This is not an e-mail address.") == 2
    assert "customers.csv · 2 / 3" in browser.text


def test_a_file_that_is_none_is_told_beside_the_field(acme):
    browser = signed_in(acme)

    upload(browser, None, status=400)
    assert "Choose a file." in browser.text
    upload(browser, SimpleUploadedFile("x.csv", b"\x00\x01\x02"), status=400)
    assert "This is neither a text file nor an XLSX workbook." in browser.text
    with tenant_context(acme):
        assert Import.objects.count() == 0


def fill(tenant, left: int, now: datetime) -> None:
    """Use the plan's contacts up to `left`."""
    free = ledger.remaining(tenant_id=tenant.pk, meter=Meter.CONTACTS, now=now)
    assert free is not None
    ledger.consume(
        tenant_id=tenant.pk, meter=Meter.CONTACTS, quantity=free - left, key="filled", now=now
    )


def test_more_than_the_plan_allows_is_refused_before_it_starts_naming_the_plan(globex, now):
    browser = signed_in(globex)
    fill(globex, 2, now)

    page = upload(browser, file_of(5), status=402)

    assert "This file brings 5 new contacts." in browser.text
    assert "Your plan allows 5,000, of which 4,998 are in use." in browser.text
    assert "The plan Growth allows this." in browser.text
    assert 'href="/plan?wanted=growth"' in page
    assert 'href="#id_allow_partial"' in page
    assert 'id="id_allow_partial"' in page
    assert 'type="file"' in page
    with tenant_context(globex):
        assert Import.objects.count() == 0


def test_as_much_as_the_plan_allows_is_imported_when_asked_for_and_the_rest_goes_on_later(
    globex, now
):
    browser = signed_in(globex)
    fill(globex, 2, now)

    upload(browser, file_of(5), status=302, allow_partial="on")
    job = run(globex, now)
    # It stops at a whole batch, and these rows are one.
    assert (job.status, job.rows_done, job.rows_left_out) == ("completed_with_errors", 0, 5)
    page = browser.get("/imports")
    assert "The plan's allowance of contacts is used up; the rest was left out." in browser.text
    assert f'action="/imports/{job.pk}/resume"' in page
    ledger.refund(tenant_id=globex.pk, meter=Meter.CONTACTS, quantity=50, key="filled", now=now)
    browser.post(f"/imports/{job.pk}/resume", status=302, seen="/imports")

    assert run(globex, now).rows_done == 5


def test_an_import_under_way_can_be_stopped(acme, now):
    browser = signed_in(acme)
    upload(browser, file_of(3), status=302)
    with tenant_context(acme):
        job_id: UUID = Import.objects.get().pk

    browser.post(f"/imports/{job_id}/cancel", status=302, seen="/imports")

    browser.get("/imports")
    assert "customers.csv cancelled" in browser.text
    assert run(acme, now).rows_done == 0


def test_who_may_only_read_sees_imports_and_begins_none(acme):
    with tenant_context(acme):
        factories.ImportFactory(file_name="theirs.csv")
    browser = signed_in(acme, "read_only")

    page = browser.get("/imports")
    assert "theirs.csv" in browser.text
    assert 'type="file"' not in page
    browser.post("/imports", {"file": file_of(1)}, status=403, seen="/")
    assert "permission_denied" in browser.text
