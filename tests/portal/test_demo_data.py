"""The demo's sample is counted as it is."""

import pytest

from apps.crm.models import Import
from apps.portal import demo_data
from tenants.isolation import tenant_context
from tests.factories import MemberFactory

pytestmark = pytest.mark.django_db
HEADER = "customer_id date number_of_cds dollar_value\n"
ROWS = "".join(f" {number:05} 19970101  1   11.77\n" for number in range(1, 9))


@pytest.mark.parametrize(("text", "purchases"), [(ROWS, 4), (HEADER + ROWS, 3)])
def test_the_sample_says_how_many_purchases_it_holds(
    acme, now, tmp_path, settings, monkeypatch, text, purchases
):
    settings.STORAGES = {
        **settings.STORAGES,
        "default": {**settings.STORAGES["default"], "OPTIONS": {"location": tmp_path}},
    }
    monkeypatch.setattr(demo_data, "_LINES", 4)
    MemberFactory(tenant=acme)
    file = tmp_path / "sample.txt"
    file.write_text(text)

    said = demo_data.send_sample(file, now=now)

    assert said == f"{purchases} purchases are being imported"
    with tenant_context(acme):
        assert Import.objects.get().rows_total == purchases
    assert demo_data.send_sample(file, now=now) == "there already"
