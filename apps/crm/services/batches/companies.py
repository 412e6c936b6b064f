"""Companies in batches: as apps/crm/services/companies.py does each alone."""

from typing import Any

from apps.crm.services.batches.nouns import Key, Noun, Row, Values, merged
from apps.crm.services.companies import CompanyExists

_PLAIN = ("external_id", "name", "domain", "industry")


def _assign(row: Row, values: Values, found: Any) -> None:
    row.update((name, values[name]) for name in _PLAIN if name in values)
    row["fields"] = merged(row["fields"], values)


COMPANIES = Noun(
    table="crm_company",
    columns={
        "external_id": "text", "name": "text", "domain": "text", "industry": "text",
        "fields": "jsonb",
    },
    keys=(Key("name", lowered=True), Key("external_id")),
    blank={"external_id": None, "name": "", "domain": "", "industry": "", "fields": {}},
    taken=CompanyExists,
    assign=_assign,
)  # fmt: skip
