"""Who issues, what is taxed, what a unit costs: files that are wrong are refused by the place of each fault."""

from typing import Any

import pytest
from django.core.checks import run_checks
from django.core.exceptions import ImproperlyConfigured

from billing.books import costing, issuers
from billing.catalogue import taxes
from tests.stack import REPOSITORY

SOL = {"name": "Sol", "country": "CR", "prefix": "SOL"}
EXACT = {"USD": "0.01", "EUR": 1, "MXN": 2, "CRC": 3}


@pytest.mark.parametrize(
    ("read", "table", "fault"),
    [
        (issuers.read, {}, "one issuer at least"),
        (issuers.read, {"sol": []}, "sol: a table of address, country"),
        (issuers.read, {"sol": SOL | {"vat": "x"}}, "sol: a table of address, country"),
        (issuers.read, {"sol": SOL | {"name": " "}}, "sol: name: a text"),
        (issuers.read, {"sol": SOL | {"tax_id": 7}}, "sol: tax_id, address: texts"),
        (issuers.read, {"sol": SOL | {"country": "cr"}}, "sol: country, serves: two capital"),
        (issuers.read, {"sol": SOL | {"serves": "CR"}}, "sol: country, serves: two capital"),
        (issuers.read, {"sol": SOL | {"prefix": "S-1"}}, "sol: prefix: one to ten capital"),
        (issuers.read, {"a": SOL, "b": SOL}, "prefix SOL: of one issuer alone"),
        (
            issuers.read,
            {"a": SOL | {"serves": ["MX"]}, "b": SOL | {"prefix": "B", "serves": ["MX"]}},
            "serves MX: of one issuer alone",
        ),
        (costing.read, {"cost": {}}, "cost: apps or costs"),
        (costing.read, {"apps": {"pigeons": "crm"}}, "pigeons: no meter"),
        (costing.read, {"apps": {"emails": ""}}, "apps.emails: an app's name"),
        (costing.read, {"costs": {"sms": {"USD": 1}}}, "costs.sms: one amount for each of"),
        (costing.read, {"costs": {"sms": EXACT | {"EUR": 0.5}}}, "costs.sms: minor units, whole"),
        (taxes.read, {"europe": {}}, "europe: eu or others"),
        (taxes.read, {"eu": []}, "eu: a table of countries"),
        (taxes.read, {"eu": {"DE": 19}}, "eu.DE: { key, rates ="),
        (taxes.read, {"eu": {"DE": {"key": "vat_de", "rates": [19]}}}, "eu.DE: { key, rates ="),
    ],
)
def test_a_wrong_table_is_refused_by_the_place_of_the_fault(read: Any, table: Any, fault: str):
    with pytest.raises(ImproperlyConfigured, match=r"is not valid") as raised:
        read(table)
    assert fault in str(raised.value)


def test_a_production_that_would_issue_as_nobody_is_refused(settings: Any, tmp_path: Any):
    def told(path: str) -> list[tuple[str | None, str]]:
        settings.ISSUERS_FILE = path
        issuers.issuers.cache_clear()
        found = run_checks(tags=["plaza"], include_deployment_checks=True)
        return [(each.id, each.msg) for each in found if each.id in {"plaza.E010", "plaza.E011"}]

    settings.IS_PRODUCTION = True
    broken = tmp_path / "issuers.toml"
    broken.write_text("[sol]\nname = 1\n")
    try:
        assert told("") == [("plaza.E011", "The issuer 'plaza' has no tax_id and no address.")]
        assert told(f"{REPOSITORY}/tests/data/issuers.toml") == []
        assert [code for code, _message in told(str(broken))] == ["plaza.E010"]
        assert [code for code, _message in told(f"{tmp_path}/none")] == ["plaza.E010"]
        settings.IS_PRODUCTION = False
        assert told("") == []
    finally:
        issuers.issuers.cache_clear()
