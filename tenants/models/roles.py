"""Roles that a tenant made itself, beside those that every tenant has."""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id
from config.needs import Permission, Role
from config.roles import EVERYBODY
from tenants.models.stalls import Tenant
from tenants.models.versions import VersionedModel, VersionedQuerySet

_KNOWN = frozenset(Permission)


class CustomRole(VersionedModel):
    """A set of permissions under a name, which no built-in role has."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="roles")
    name = models.CharField(max_length=32)
    description = models.CharField(max_length=200, blank=True)
    permissions = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(db_default=Now())

    objects = VersionedQuerySet.as_manager()
    unversioned = frozenset({"description"})

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name"], name="role_once_per_tenant"),
            models.CheckConstraint(
                condition=~Q(name__in=[role.value for role in Role]), name="role_is_not_built_in"
            ),
        ]

    def __str__(self) -> str:
        return self.name

    @property
    def granted(self) -> frozenset[Permission]:
        """Its permissions, with everybody's. One that is known no more grants nothing."""
        return EVERYBODY | {Permission(name) for name in self.permissions if name in _KNOWN}
