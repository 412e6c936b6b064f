"""What an invoice and a credit note have in common: seller, buyer, language, number."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from billing.books.issuers import Issuer, issuer_for
from billing.books.numbers import take
from billing.books.retention import kept_until
from billing.models import NumberSequence, TaxProfile
from tenants.models import Tenant

_SERIES = {NumberSequence.Series.INVOICE: "", NumberSequence.Series.CREDIT_NOTE: "CN-"}


@dataclass(frozen=True, slots=True)
class Parties:
    """Who bills whom, in which language: kept on the document as they are now."""

    issuer: Issuer
    buyer: dict[str, Any]
    language: str

    def facts(self) -> dict[str, Any]:
        """The columns of a document that tell them."""
        return {"seller": self.issuer.facts(), "buyer": self.buyer, "language": self.language}


def parties_of(tenant_id: UUID) -> Parties:
    """The buyer as its tax profile states it, by its organisation's name alone where it states none."""
    tenant = Tenant.objects.only("organisation", "locale").get(pk=tenant_id)
    profile = TaxProfile.objects.filter(tenant_id=tenant_id).first()
    buyer = dict.fromkeys(TaxProfile.FIELDS, "") | {"name": tenant.organisation}
    if profile is not None:
        buyer = {name: getattr(profile, name) for name in TaxProfile.FIELDS}
    return Parties(issuer_for(buyer["country"]), buyer, tenant.locale)


def numbered(issuer: Issuer, series: NumberSequence.Series, *, now: datetime) -> dict[str, Any]:
    """The number's columns of a document that is written next, and how long it is kept."""
    number = take(issuer=issuer.key, series=series)
    return {
        "issuer": issuer.key,
        "number": number,
        "reference": f"{issuer.prefix}-{_SERIES[series]}{number:06d}",
        "issued_at": now,
        "kept_until": kept_until(now),
    }
