"""Where somebody is signed in: one row for each browser's session and each program's family of tokens."""

from typing import ClassVar

from django.db import models
from django.db.models import Q

from config.ids import new_id
from config.personal import Personal
from tenants.models.people import Member


class SignIn(models.Model):
    """One sign-in of a member. A family of refresh tokens has its id; a session keeps it in itself.

    A session whose row has ended is nobody's; tokens end with their family, and the row says so.
    """

    class Kind(models.TextChoices):
        SESSION = "session"
        TOKEN = "token"  # noqa: S105 (a kind, not a secret)

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    member = models.ForeignKey(Member, on_delete=models.CASCADE, related_name="sign_ins")
    kind = models.CharField(max_length=8, choices=Kind)
    # Where it began.
    address = models.CharField(max_length=45, blank=True)
    user_agent = models.CharField(max_length=200, blank=True)
    created_at = models.DateTimeField()
    last_seen_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)
    # Whether a second factor was proved, at the beginning or since.
    has_second_factor = models.BooleanField(default=False)

    personal: ClassVar[dict[str, Personal]] = {
        "address": Personal.OTHER,
        "user_agent": Personal.OTHER,
    }

    class Meta:
        indexes = [
            models.Index(
                fields=["member", "-last_seen_at"],
                condition=Q(ended_at__isnull=True),
                name="sign_in_open_of_member",
            ),
            models.Index(fields=["last_seen_at"], name="sign_in_last_seen"),
        ]

    def __str__(self) -> str:
        return f"{self.kind} {self.pk}"
