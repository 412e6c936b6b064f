"""Whom rating taxes: the buyer of the tenant's tax profile, and the seller who serves their country."""

from uuid import UUID

from billing.books.documents import parties_of
from billing.rating.terms import Buyer


def buyer_and_seller(tenant_id: UUID) -> tuple[Buyer, str]:
    """The buyer, and the seller's country."""
    parties = parties_of(tenant_id)
    tax_id = parties.buyer["tax_id"]
    buyer = Buyer(country=parties.buyer["country"], tax_id=tax_id, is_tax_id_valid=bool(tax_id))
    return buyer, parties.issuer.country
