"""Who is billed: what a tenant states of itself, and what of it counts for taxes."""

import re
from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing.books.issuers import issuer_for
from billing.catalogue.taxes import tax_table
from billing.models import TaxProfile
from billing.rating.terms import Buyer
from config.errors import NotFound, ValidationFailed
from config.logs import logger

log = logger(__name__)
# As their countries write them: RFC; cédula física, jurídica or DIMEX; VAT number with its state before it.
_FORMS = {
    "MX": re.compile(r"[A-ZÑ&]{3,4}\d{6}[A-Z0-9]{3}"),
    "CR": re.compile(r"\d{9,12}"),
}
_VAT = re.compile(r"[A-Z]{2}[A-Z0-9+*]{2,12}")


def buyer_of(tenant_id: UUID) -> tuple[Buyer, str]:
    """The buyer as rating taxes it, and the country of the issuer who bills it."""
    profile = TaxProfile.objects.filter(tenant_id=tenant_id).first()
    if profile is None:
        return Buyer(), issuer_for("").country
    is_valid = profile.tax_id_verified_at is not None
    buyer = Buyer(profile.country, profile.tax_id, is_tax_id_valid=is_valid)
    return buyer, issuer_for(profile.country).country


def tax_profile_of(tenant_id: UUID) -> TaxProfile:
    """What the tenant has stated; an empty one where it has not."""
    found = TaxProfile.objects.filter(tenant_id=tenant_id).first()
    return found or TaxProfile(tenant_id=tenant_id)


@transaction.atomic
def state_tax_profile(*, tenant_id: UUID, wish: dict[str, str], now: datetime) -> TaxProfile:
    """Take over every field of TaxProfile.FIELDS; what is not in `wish` is empty. Counts from the next invoice.

    Raises ValidationFailed for a tax id that its country does not write.
    """
    stated = {name: wish.get(name, "") for name in TaxProfile.FIELDS}
    stated["tax_id"] = re.sub(r"[\s.-]", "", stated["tax_id"]).upper()
    _refuse_misspelt(stated["country"], stated["tax_id"])
    profile, _is_new = TaxProfile.objects.select_for_update().get_or_create(
        tenant_id=tenant_id, defaults=stated
    )
    if (profile.country, profile.tax_id) != (stated["country"], stated["tax_id"]):
        profile.tax_id_verified_at = None
    for name, value in stated.items():
        setattr(profile, name, value)
    profile.updated_at = now
    profile.save()
    return profile


@transaction.atomic
def verify_tax_id(*, tenant_id: UUID, tax_id: str, by: str, now: datetime) -> TaxProfile:
    """Somebody who can know says that this id is the buyer's. Raises NotFound where it states another by now."""
    rows = TaxProfile.objects.select_for_update().exclude(tax_id="")
    profile = rows.filter(tenant_id=tenant_id, tax_id=tax_id).first()
    if profile is None:
        raise NotFound()
    profile.tax_id_verified_at = profile.tax_id_verified_at or now
    profile.save(update_fields=["tax_id_verified_at"])
    log.info("tax_id.verified", extra={"tenant_id": str(tenant_id), "by": by})
    return profile


def _refuse_misspelt(country: str, tax_id: str) -> None:
    known = tax_table().countries.get(country)
    form = _VAT if known is not None and known.is_eu else _FORMS.get(country)
    if tax_id and form is not None and not form.fullmatch(tax_id):
        raise ValidationFailed(errors={"tax_id": [_("Not a tax id of this country.")]})
