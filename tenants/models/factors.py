"""What a person proves besides their password: an authenticator app, or a code kept for when it is lost."""

from typing import ClassVar

from django.db import models
from django.db.models.functions import Now

from config.ids import new_id
from tenants.models.people import Person
from tenants.models.vault import SealedField


class Authenticator(models.Model):
    """A person's authenticator app (TOTP, RFC 6238: SHA-1, 6 digits, 30 s). It counts once confirmed.

    `last_step` is that of the last code that was taken: no code of it or of one before is taken again.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.OneToOneField(Person, on_delete=models.CASCADE, related_name="authenticator")
    # 20 bytes in base32.
    sealed_secret = SealedField(whose=None)
    created_at = models.DateTimeField(db_default=Now())
    confirmed_at = models.DateTimeField(null=True)
    last_step = models.BigIntegerField(null=True)

    objects: ClassVar[models.Manager["Authenticator"]]

    def __str__(self) -> str:
        return f"authenticator of {self.person_id}"


class RecoveryCode(models.Model):
    """A code of 80 random bits that stands for the app, once. Only its SHA-256 is kept."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    person = models.ForeignKey(Person, on_delete=models.CASCADE, related_name="recovery_codes")
    code_hash = models.CharField(max_length=64)
    used_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["RecoveryCode"]]

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["person", "code_hash"], name="recovery_code_once")
        ]

    def __str__(self) -> str:
        return f"recovery code of {self.person_id}"
