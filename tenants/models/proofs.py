"""Secrets that are mailed to somebody: whoever shows one has read that mailbox."""

from typing import ClassVar

from django.db import models

from config.ids import new_id
from config.personal import Personal
from tenants.models.people import Person
from tenants.models.stalls import Tenant


class MailedProof(models.Model):
    """A link of one use that is mailed to a person. Only the SHA-256 of its secret is kept.

    The secret is made when the mail is written, so that none waits anywhere; `secret_hash` is empty
    until then. Without a person it is somebody's asking for an address that nobody has: the same is
    written for it, and nothing is sent. The link leads to `tenant`, or to the square where that is null.
    """

    class Kind(models.TextChoices):
        PASSWORD_RESET = "password_reset"  # noqa: S105 (a kind, not a secret)
        EMAIL_CHANGE = "email_change"

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    kind = models.CharField(max_length=16, choices=Kind)
    person = models.ForeignKey(
        Person, on_delete=models.CASCADE, null=True, related_name="mailed_proofs"
    )
    tenant = models.ForeignKey(
        Tenant, on_delete=models.CASCADE, null=True, related_name="mailed_proofs"
    )
    # The address that a change asks for; once it is made, the one that was left.
    other_email = models.EmailField(max_length=254, blank=True)
    secret_hash = models.CharField(max_length=64, blank=True, db_index=True)
    expires_at = models.DateTimeField(db_index=True)
    used_at = models.DateTimeField(null=True)

    personal: ClassVar[dict[str, Personal]] = {"other_email": Personal.EMAIL}

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
