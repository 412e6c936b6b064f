"""Tenants, the hosts at which they answer, and the names that they gave up."""

from typing import Any, ClassVar
from uuid import UUID

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now
from django.utils.module_loading import import_string
from django_tenants.models import DomainMixin, TenantMixin
from django_tenants.utils import schema_exists

from config.context import Shares, TenantRef
from config.ids import new_id
from tenants.models.versions import VersionedModel, VersionedQuerySet


class Tenant(VersionedModel, TenantMixin):  # type: ignore[misc]
    """A customer's stall. `schema_name` is opaque (`t_` and the id's hex), never the customer's name."""

    class Status(models.TextChoices):
        PROVISIONING = "provisioning"
        ACTIVE = "active"
        SUSPENDED = "suspended"
        CLOSING = "closing"
        CLOSED = "closed"

    class MigrationState(models.TextChoices):
        STEADY = "steady"
        MIGRATING = "migrating"
        SET_ASIDE = "set_aside"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    slug = models.CharField(max_length=40, unique=True)
    organisation = models.CharField(max_length=200)
    status = models.CharField(max_length=16, choices=Status, default=Status.PROVISIONING)
    suspended_reason = models.CharField(max_length=200, blank=True)
    locale = models.CharField(max_length=8, default="en")
    is_demo = models.BooleanField(default=False)
    # Where its data lies (tenants/regions.py); empty where regions are not told apart.
    data_region = models.CharField(max_length=32, blank=True, db_default="")
    # Of whose members a second factor is asked (tenants/identity/factor_policy.py); `*` is everybody.
    second_factor_roles = ArrayField(models.CharField(max_length=64), default=list, db_default=[])
    created_at = models.DateTimeField(db_default=Now())
    # The state from which it was closed is that to which `restore` leads back.
    closing_reason = models.CharField(max_length=200, blank=True)
    closed_from = models.CharField(max_length=16, blank=True)
    erase_after = models.DateTimeField(null=True)
    # Which migrations its schema has (tenants/versions of code: see tenants/fleet).
    schema_version = models.CharField(max_length=64, blank=True)
    migration_state = models.CharField(
        max_length=16, choices=MigrationState, default=MigrationState.STEADY
    )
    migration_error = models.TextField(blank=True)
    # How far a migration that is no transaction got: "crm.0003_email:2" has done two operations.
    half_way = models.CharField(max_length=300, blank=True)
    # What its plan lets it take of the machine; null is the installation's default.
    statement_timeout_ms = models.PositiveIntegerField(null=True)
    connection_share = models.PositiveIntegerField(null=True)
    worker_slots = models.PositiveIntegerField(null=True)
    storage_limit_bytes = models.PositiveBigIntegerField(null=True)
    last_scaled_at = models.DateTimeField(null=True)
    # {share: value} that an operator set by hand: they hold whatever the plan says (tenants/shares.py).
    scaled_by_hand = models.JSONField(default=dict)

    objects = VersionedQuerySet.as_manager()
    # What the fleet keeps of a tenant for itself.
    unversioned = frozenset(
        {"schema_version", "migration_error", "half_way", "last_scaled_at", "scaled_by_hand"}
    )

    # django-tenants would migrate inside save(); tenants/provisioning.py does it, resumably.
    auto_create_schema = False
    auto_drop_schema = False

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(slug__regex=r"^[a-z0-9]([a-z0-9-]*[a-z0-9])?$"),
                name="tenant_slug_is_a_label",
            ),
            models.CheckConstraint(
                condition=~Q(status="suspended", suspended_reason=""),
                name="tenant_suspended_has_reason",
            ),
            models.CheckConstraint(
                condition=~Q(status="closing", erase_after=None),
                name="tenant_closing_has_erase_after",
            ),
        ]
        indexes = [
            models.Index(
                fields=["created_at"], condition=Q(status="provisioning"), name="tenant_unfinished"
            )
        ]

    def __str__(self) -> str:
        return self.slug

    def create_schema(
        self,
        check_if_exists: bool = False,  # noqa: FBT001, FBT002 - django-tenants' signature
        sync_schema: bool = True,  # noqa: FBT001, FBT002
        verbosity: int = 1,
    ) -> bool:
        """django-tenants' call leads to our provisioning; False where there is a schema already."""
        if check_if_exists and schema_exists(self.schema_name):
            return False
        provision = import_string("tenants.provisioning.provision")
        self.schema_version = provision(tenant_id=self.pk).schema_version
        return True

    @classmethod
    def tenants_of(cls, rows: "models.QuerySet[Any]") -> list[UUID]:
        return list(rows.order_by().values_list("pk", flat=True))

    def tenants(self) -> list[UUID]:
        return [self.pk]

    @property
    def ref(self) -> TenantRef:
        shares = Shares(
            statement_timeout_ms=self.statement_timeout_ms,
            connection_share=self.connection_share,
            worker_slots=self.worker_slots,
            storage_limit_bytes=self.storage_limit_bytes,
        )
        return TenantRef(
            id=self.id,
            slug=self.slug,
            schema=self.schema_name,
            shares=shares,
            region=self.data_region,
        )


class Domain(VersionedModel, DomainMixin):  # type: ignore[misc]
    """A host at which a tenant answers: its subdomain, or a domain of its own once that is proved.

    `proof` is the value that a TXT record at `_plaza.<domain>` must hold; empty for our subdomains.
    """

    objects = VersionedQuerySet.as_manager()

    created_at = models.DateTimeField(db_default=Now())
    proof = models.CharField(max_length=64, blank=True)
    verified_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(proof="") | Q(verified_at__isnull=False),
                name="domain_of_their_own_is_verified",
            )
        ]

    def __str__(self) -> str:
        return str(self.domain)


class RetiredSlug(models.Model):
    """A name that a tenant gave up: it leads to the new one, and nobody else gets it, until `until`."""

    slug = models.CharField(primary_key=True, max_length=40)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="retired_slugs")
    until = models.DateTimeField()

    objects: ClassVar[models.Manager["RetiredSlug"]]

    def __str__(self) -> str:
        return self.slug
