"""The reference lists what the code defines, all of it, on the square and at each tenant."""

import re

import pytest

from billing import catalogue
from config.errors import all_errors
from config.needs import Meter
from quotas.meters import METERS
from tenants.outbound.events import known_events
from tenants.services import host_of
from tests.portal.browser import SQUARE, Browser

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize("host", [SQUARE, host_of("acme")])
def test_plans_meters_and_error_codes_are_listed_from_the_code(acme, host):
    browser = Browser(host)

    page = browser.get("/reference")

    assert [spec.key for spec in catalogue.plans() if f"<code>{spec.key}</code>" not in page] == []
    assert [meter for meter in METERS if f"<code>{meter.value}</code>" not in page] == []
    assert [error.code for error in all_errors() if f"<code>{error.code}</code>" not in page] == []
    assert [name for name in known_events() if f"<code>{name}</code>" not in page] == []
    assert [
        str(spec.meaning) for spec in METERS.values() if str(spec.meaning) not in browser.text
    ] == []


def test_units_and_windows_are_in_the_readers_language(acme):
    browser = Browser(SQUARE, language="es")

    browser.get("/reference")

    assert "api_calls llamada mes" in browser.text


def test_a_meter_that_a_plan_does_not_switch_on_has_no_number_there(acme):
    page = Browser(SQUARE).get("/reference")

    free = page.split("<code>free</code>")[1].split("</tr>")[0]
    numbers = re.findall(r'<td class="number">([^<]*)</td>', free)
    # Campaigns the free plan does not switch on; of text messages it allows none.
    assert numbers[:7] == ["10,000", "500", "2", "–", "10", "1,000", "–"]
    assert len(numbers) == len(Meter)


def plain(words: str) -> str:
    return re.sub(r"[\s`]", "", words)


def test_each_error_code_has_an_address_that_explains_it(acme):
    browser = Browser(host_of("acme"))

    for error in all_errors():
        browser.get(f"/errors/{error.code}")
        assert str(error.title) in browser.text
        assert error.__doc__
        assert plain(error.__doc__) in plain(browser.text)
