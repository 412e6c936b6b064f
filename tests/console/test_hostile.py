"""What an operator's browser may be made to ask, and the console does not answer."""

import pytest

from config.ids import new_id
from tests import factories
from tests.console.doors import LISTS, page_of
from tests.portal.browser import person_of

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "asked",
    [
        "password__startswith=argon2",
        "email=owner@acme.test&password__startswith=argon2",
        "password=x",
        "memberships__api_keys__key_hash__startswith=a",
        "kind__startswith=mem",
        "kind__exact=member%00",
        "nothing=1",
    ],
)
def test_people_are_filtered_by_what_the_list_offers_alone(operator, acme, asked):
    person_of(acme)

    operator.get(f"/console/tenants/person/?{asked}", status=400)


def test_the_filters_that_the_lists_offer_still_work(operator, acme):
    person_of(acme)

    operator.get("/console/tenants/person/?kind__exact=member&is_active__exact=1&q=owner&o=1")
    assert "owner@acme.test" in operator.text
    operator.get("/console/tenants/person/?kind__exact=operator")
    assert "owner@acme.test" not in operator.text
    operator.get("/console/tenants/tenant/?subscription__plan=growth&is_demo__exact=0")
    assert "Acme Inc." in operator.text


@pytest.mark.parametrize("path", LISTS)
def test_a_row_that_is_not_there_is_no_fault_of_ours(operator, acme, path):
    for name in ("garbage", "%00", "9" * 40, str(new_id())):
        for asked in ("change/", "suspend/", "close/", "restore/", "replay/", "history/"):
            operator.get(f"{path}{name}/{asked}", status=None)
            assert operator.last.status_code in {302, 404}, (name, asked)


def test_the_buttons_of_a_row_that_is_not_there_are_404(operator):
    for address in (
        "tenants/tenant/garbage/suspend/",
        f"tenants/tenant/{new_id()}/resume/",
        f"tenants/tenant/{new_id()}/close/",
        "tenants/tenant/garbage/restore/",
        "billing/webhookevent/garbage/replay/",
    ):
        operator.get(f"/console/{address}", status=404)


@pytest.mark.parametrize("path", LISTS)
def test_a_nul_in_a_lists_address_is_no_fault_of_ours(operator, acme, path):
    for asked in ("status__exact=%00", "q=%00", "p=%00", "o=%00", "_to_field=%00"):
        operator.get(f"{path}?{asked}", status=None)
        assert operator.last.status_code in {200, 302, 400}, asked


def test_the_rows_that_are_there_still_answer(operator, acme):
    event = factories.WebhookEventFactory(tenant_id=acme.pk)

    operator.get(f"{page_of(acme)}/change/")
    operator.get(f"{page_of(event)}/replay/")
