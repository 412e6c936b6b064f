"""The buyer's tax id, told to the provider that prints it."""

from billing.models import Subscription, TaxProfile
from billing.providers.base import ProviderRefused
from billing.providers.gateways import Gateway
from config.logs import logger

log = logger(__name__)
# Stripe's names of kinds; of countries that are not here nothing is told.
_EU = frozenset(
    {
        *("AT", "BE", "BG", "CY", "CZ", "DE", "DK", "EE", "ES", "FI", "FR", "GR", "HR", "HU"),
        *("IE", "IT", "LT", "LU", "LV", "MT", "NL", "PL", "PT", "RO", "SE", "SI", "SK"),
    }
)
_KINDS = {"MX": "mx_rfc", "CR": "cr_tin", "US": "us_ein", **dict.fromkeys(_EU, "eu_vat")}


def tell_tax_id(gateway: Gateway, row: Subscription) -> None:
    """Make the customer's tax id at the provider that of the tax profile. One it does not take stops nothing."""
    profile = TaxProfile.objects.filter(tenant_id=row.tenant_id).first()
    kind = _KINDS.get(profile.country, "") if profile else ""
    if profile is None or not kind or not row.provider_customer_id:
        return
    try:
        gateway.set_tax_id(customer_id=row.provider_customer_id, kind=kind, value=profile.tax_id)
    except ProviderRefused as refusal:
        told = {"tenant_id": str(row.tenant_id), "reason": refusal.facts["reason"]}
        log.warning("tax_id.refused", extra=told)
