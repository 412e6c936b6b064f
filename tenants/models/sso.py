"""A tenant's own OpenID Connect provider, the e-mail domains that it has proved, and who came by it."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.ids import new_id
from config.needs import Role
from tenants.models.people import Member
from tenants.models.stalls import Tenant
from tenants.models.vault import SealedField


class SsoConnection(models.Model):
    """One for each tenant. Enforced, nobody but an owner signs in by a password there."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="sso")
    issuer = models.CharField(max_length=255)
    client_id = models.CharField(max_length=255)
    sealed_secret = SealedField()
    # Of whoever comes for the first time and whose groups give no other.
    default_role = models.CharField(max_length=16, choices=[(role, role) for role in Role])
    # The claim that names somebody's groups, and the role of each.
    role_claim = models.CharField(max_length=100, blank=True, default="", db_default="")
    role_map = models.JSONField(default=dict)
    is_enforced = models.BooleanField(default=False)
    created_at = models.DateTimeField()
    # When a sign-in last succeeded: it cannot be enforced before.
    used_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["SsoConnection"]]

    def __str__(self) -> str:
        return str(self.issuer)


class SsoDomain(models.Model):
    """A domain of e-mail addresses. Proved, who has an address there may come by the tenant's provider."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sso_domains")
    domain = models.CharField(max_length=253)
    proof = models.CharField(max_length=64)
    created_at = models.DateTimeField()
    verified_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["SsoDomain"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "domain"], name="sso_domain_once_per_tenant"),
            models.UniqueConstraint(
                fields=["domain"],
                condition=Q(verified_at__isnull=False),
                name="sso_domain_verified_once",
            ),
        ]

    def __str__(self) -> str:
        return str(self.domain)

    @property
    def record_name(self) -> str:
        """Where the TXT record must stand."""
        return f"_plaza-sso.{self.domain}"


class SsoIdentity(models.Model):
    """Who a member is at the tenant's provider: linked by (issuer, subject), and of this tenant alone."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="sso_identities")
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sso_identities")
    issuer = models.CharField(max_length=255)
    subject = models.CharField(max_length=255)
    created_at = models.DateTimeField()

    objects: ClassVar[models.Manager["SsoIdentity"]]

    class Meta:
        verbose_name_plural = "sso identities"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "issuer", "subject"], name="sso_identity_once_per_tenant"
            )
        ]

    def __str__(self) -> str:
        return f"{self.member_id} at {self.issuer}"
