"""Domains of their own that tenants ask for: a claim says how to prove one, and counts once it is proved."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.ids import new_id
from tenants.models.stalls import Tenant


class DomainClaim(models.Model):
    """A tenant's wish to answer at `domain`. Two tenants may claim one domain, and one of them has it.

    `proof` is the value that a TXT record at `_plaza.<domain>` must hold. With `verified_at` there is a
    Domain of this tenant: the host answers. Names are ASCII, international ones in punycode.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domain_claims")
    domain = models.CharField(max_length=253)
    proof = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["DomainClaim"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "domain"], name="domain_claim_once_per_tenant"
            ),
            models.UniqueConstraint(
                fields=["domain"],
                condition=Q(verified_at__isnull=False),
                name="domain_claim_verified_once",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"],
                condition=Q(verified_at__isnull=True),
                name="domain_claim_unproved",
            )
        ]

    def __str__(self) -> str:
        return str(self.domain)

    @property
    def record_name(self) -> str:
        """Where the TXT record must stand."""
        return f"_plaza.{self.domain}"
