"""The page on which owners and admins read the trail."""

import pytest

from tenants.trail.sealing import seal
from tests.portal.browser import found, signed_in

pytestmark = pytest.mark.django_db


def test_an_owner_finds_the_way_from_the_plan_and_reads_who_did_what(acme):
    browser = signed_in(acme)
    seal(acme.id)
    assert 'href="/audit"' in browser.get("/plan")

    browser.get("/audit")

    assert "sign_in.succeeded owner@acme.test o•••@acme.test member" in browser.text
    assert "by: – → session" in browser.text


def test_it_is_searched_paged_and_taken_along(acme):
    from tenants.isolation import tenant_context
    from tenants.trail.actions import Action
    from tenants.trail.recording import Subject, record

    browser = signed_in(acme)
    with tenant_context(acme):
        for number in range(60):
            record(Action.TAG_DELETED, Subject("tag", f"<b>{number}</b>"))
    seal(acme.id)

    page = browser.get("/audit?action=tag")
    assert (page.count("<code>tag.deleted</code>"), "<b>59</b>" in page) == (50, False)
    onward = found(r'rel="next" href="([^"]+)"', page).replace("&amp;", "&")
    assert browser.get(onward).count("<code>tag.deleted</code>") == 10
    browser.get("/audit?search=nowhere&before=x")
    assert "No act matches." in browser.text
    answer = browser.client.get("/audit/export.csv?action=tag")
    assert b"".join(answer).count(b"tag.deleted") == 60


@pytest.mark.parametrize("role", ["billing", "editor", "read_only"])
def test_others_find_no_page(acme, role):
    browser = signed_in(acme, role)

    browser.get("/audit", status=403)
    browser.get("/audit/export.csv", status=403)


def test_it_speaks_spanish(acme):
    browser = signed_in(acme, language="es")

    browser.get("/audit")

    assert "Registro de auditoría" in browser.text
    assert "Ningún acto coincide." in browser.text
