"""Who pays is billed by the version under which they began, and by the present one once they are moved."""

import pytest
from django.core.management import call_command

from billing.services import amending, catalogues
from billing.services.closing import close_due
from billing.services.wishes import Wish
from tests.billing.paying import FEB_28, JAN_31, MAR_31, invoices, paying
from tests.billing.test_catalogue_versions import newer, released  # noqa: F401

pytestmark = pytest.mark.django_db
DEARER = {
    "plans__growth__prices__month__USD": 10_900,
    "plans__scale__prices__month__USD": 49_900,
}


@pytest.fixture
def dearer(settings, acme, released):  # noqa: F811
    """acme pays for growth since January; then a dearer version is for sale."""
    settings.STRIPE_API_KEY = settings.PAYPAL_CLIENT_ID = ""
    call_command("plans", "sync", yes=True)
    paying(acme)
    released(newer(**DEARER))
    call_command("plans", "sync", yes=True)
    yield
    catalogues._stored.cache_clear()


def billed(tenant) -> list[list[tuple[str, int]]]:
    return [
        [(line.subject, line.amount_minor) for line in invoice.lines.order_by("position")]
        for invoice in invoices(tenant)
    ]


def test_a_subscriber_pays_the_old_price_until_moved_and_the_new_one_from_the_next_period(
    acme, dearer
):
    close_due(now=FEB_28)
    call_command("plans", "move", yes=True)
    assert billed(acme) == [[("growth", 9_900)], [("growth", 9_900)]]

    close_due(now=MAR_31)

    assert billed(acme)[2:] == [[("growth", 10_900)]]


def test_another_plan_is_bought_at_the_present_price_and_the_old_one_given_back_at_its_own(
    acme, dearer
):
    amending.change(tenant_id=acme.id, wish=Wish(plan="scale"), now=JAN_31)

    assert billed(acme)[1:] == [[("growth", -9_900), ("scale", 49_900)]]
