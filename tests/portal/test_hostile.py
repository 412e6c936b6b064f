"""What a browser may be made to send, and no page takes amiss."""

import pytest

from tenants.models import Person
from tests.portal.browser import signed_in

pytestmark = pytest.mark.django_db


def test_a_language_that_is_not_offered_is_not_kept(acme):
    browser = signed_in(acme)
    Person.objects.filter(email="owner@acme.test").update(locale="en")

    for language in ("de", "es@" + "a" * 30, "\x00", "", "x" * 500):
        browser.post("/i18n/setlang", {"language": language, "next": "/"}, status=302, seen="/")
        assert Person.objects.get(email="owner@acme.test").locale == "en", language


def test_a_nul_in_a_search_is_read_past(acme):
    browser = signed_in(acme)

    browser.get("/contacts?search=%00")
    browser.get("/contacts?search=a%00na", HX_Request="true")
