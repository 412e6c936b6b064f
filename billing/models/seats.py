"""Invitations: a seat that is reserved for somebody by e-mail."""

from datetime import datetime
from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Lower

from config.ids import new_id
from config.needs import Role
from config.personal import Personal
from tenants.models import CustomRole, Member, Tenant


class InvitationQuerySet(models.QuerySet["Invitation"]):
    def waiting(self) -> "InvitationQuerySet":
        """Those that hold a seat: neither accepted nor ended."""
        return self.filter(accepted_at=None, ended_at=None)

    def run_out(self, at: datetime) -> "InvitationQuerySet":
        return self.waiting().filter(expires_at__lte=at)


class Invitation(models.Model):
    """A seat is taken from the invitation on: its id becomes the member's, and so the seat's key counts once.

    Inviting again renews `sent_at`, with which the link is signed: older links hold no more.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="invitations")
    email = models.EmailField(max_length=254)
    role = models.CharField(max_length=16, choices=[(role.value, role.value) for role in Role])
    # Where it goes before it is accepted, the guest comes with `role`, which beside it is the least.
    custom_role = models.ForeignKey(
        CustomRole, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    invited_by = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="+")
    created_at = models.DateTimeField()
    sent_at = models.DateTimeField()
    expires_at = models.DateTimeField()
    accepted_at = models.DateTimeField(null=True, blank=True)
    ended_at = models.DateTimeField(null=True, blank=True)

    objects = InvitationQuerySet.as_manager()
    personal: ClassVar[dict[str, Personal]] = {"email": Personal.EMAIL}

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "email"],
                condition=Q(accepted_at=None, ended_at=None),
                name="invitation_one_waits",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")), name="invitation_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=Q(accepted_at=None) | Q(ended_at=None), name="invitation_ends_one_way"
            ),
        ]
        indexes = [
            models.Index(
                fields=["expires_at"],
                condition=Q(accepted_at=None, ended_at=None),
                name="invitation_run_out",
            )
        ]

    def __str__(self) -> str:
        return f"{self.role} {self.pk}"

    @property
    def role_name(self) -> str:
        """As it is told: a custom role's own name."""
        return self.custom_role.name if self.custom_role else self.role
