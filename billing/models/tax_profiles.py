"""Who is billed: the buyer of a tenant's invoices, as its owner states it."""

from typing import ClassVar

from django.db import models


class TaxProfile(models.Model):
    """The buyer on a tenant's next invoice; each invoice keeps its own copy.

    `country` is ISO 3166-1 alpha-2; `tax_id` as its country writes it (RFC, cédula jurídica, VAT number).
    """

    FIELDS: ClassVar = ("name", "country", "tax_id", "address", "city", "region", "postal_code")

    tenant_id = models.UUIDField(primary_key=True)
    name = models.CharField(max_length=200)
    country = models.CharField(max_length=2)
    tax_id = models.CharField(max_length=40, blank=True)
    address = models.CharField(max_length=300, blank=True)
    city = models.CharField(max_length=100, blank=True)
    region = models.CharField(max_length=100, blank=True)
    postal_code = models.CharField(max_length=20, blank=True)
    # When a registry, a provider or an operator said that the id is the buyer's own. Without that there
    # is no reverse charge. Another id, or another country, has to be said anew.
    tax_id_verified_at = models.DateTimeField(null=True)
    updated_at = models.DateTimeField(null=True)

    def __str__(self) -> str:
        return f"{self.name}, {self.country}"
