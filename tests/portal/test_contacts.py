"""The list of contacts: searched, paged, and always the tenant's own."""

import re

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from tenants.isolation import tenant_context
from tests import factories
from tests.portal.browser import found, signed_in

pytestmark = pytest.mark.django_db


def plant(tenant, count: int, **fields) -> None:
    with tenant_context(tenant):
        for number in range(count):
            factories.ContactFactory(
                first_name=f"Ana{number:03}", email=f"ana{number:03}@{tenant.slug}.test", **fields
            )


def names(page: str) -> list[str]:
    return re.findall(r'<th scope="row">\s*(Ana\d+)', page)


def test_pages_follow_each_other_without_a_gap_or_a_double(acme):
    plant(acme, 60)
    browser = signed_in(acme)
    path, seen = "/contacts", []

    for _ in range(3):
        page = browser.get(path)
        seen += names(page)
        following = re.search(r'rel="next" href="(/contacts\?[^"]+)"', page)
        path = following[1].replace("&amp;", "&") if following else ""

    assert path == ""
    assert sorted(seen) == [f"Ana{number:03}" for number in range(60)]


def test_a_search_finds_part_of_a_name_and_keeps_it_on_the_next_page(acme):
    plant(acme, 30)
    browser = signed_in(acme)

    page = browser.get("/contacts?search=ANA00")
    assert sorted(names(page)) == [f"Ana00{digit}" for digit in range(10)]
    page = browser.get("/contacts?search=ana")
    assert "search=ana" in found(r'rel="next" href="([^"]+)"', page)
    browser.get("/contacts?search=nobody-of-this-name")
    assert "Nobody here matches “nobody-of-this-name”." in browser.text


def test_what_was_searched_for_is_shown_as_text(acme):
    page = signed_in(acme).get("/contacts?search=%22%3E%3Cscript%3Ealert(1)%3C/script%3E")

    assert "<script>alert" not in page


def test_the_number_of_matches_stands_above_a_search_and_that_of_contacts_above_all(acme):
    plant(acme, 12)
    browser = signed_in(acme)

    browser.get("/contacts?search=ana00")
    assert "10 matches" in browser.text
    browser.get("/contacts?search=ana011")
    assert "1 match " in browser.text
    browser.get("/contacts?search=nobody-of-this-name")
    assert re.search(r"\d+ (contact|match)", browser.text) is None


def test_the_table_alone_is_sent_while_one_types(acme):
    plant(acme, 1)

    page = signed_in(acme).get("/contacts?search=ana", HX_Request="true")

    assert names(page) == ["Ana000"]
    assert "<html" not in page


def test_only_the_tenants_own_contacts_are_shown(acme, globex):
    plant(globex, 3, last_name="canary-of-globex")
    browser = signed_in(acme)

    assert "canary" not in browser.get("/contacts")
    assert "canary-of-globex" not in browser.get("/contacts?search=canary")


def test_archived_contacts_are_not_listed(acme, now):
    plant(acme, 1, archived_at=now)

    assert names(signed_in(acme).get("/contacts")) == []


def test_a_cursor_that_is_not_ours_is_refused(acme):
    browser = signed_in(acme)

    browser.get("/contacts?cursor=nonsense", status=400)

    assert "Not a cursor of this list." in browser.text


def test_the_list_asks_the_database_a_fixed_number_of_times(acme):
    browser, counts = signed_in(acme), []
    for number in (1, 3):
        with tenant_context(acme):
            for _ in range(number):
                contact = factories.ContactFactory(company=factories.CompanyFactory())
                factories.ContactTagFactory(contact=contact, tag=factories.TagFactory())
        browser.get("/contacts")
        with CaptureQueriesContext(connection) as asked:
            browser.get("/contacts")
        counts.append(len(asked))

    assert counts[0] == counts[1]
