"""The ground's own tables, in public: what must be sent after a commit, and answers kept for repeats."""

from django.db import models
from django.db.models.functions import Now

from config.ids import new_id


class OutboxMessage(models.Model):
    """A task promised by a committed transaction; its row lives until the broker has it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    task = models.CharField(max_length=100)
    arguments = models.JSONField()
    headers = models.JSONField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["created_at"], name="outbox_by_age")]

    def __str__(self) -> str:
        return f"{self.task} {self.pk}"


class KeptAnswer(models.Model):
    """The answer given under an Idempotency-Key, written in the transaction of the work itself."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    # Whose it is: row security shows a tenant its own alone. Null on the square.
    tenant_id = models.UUIDField(null=True)
    scope = models.CharField(max_length=120)
    key = models.CharField(max_length=255)
    request_hash = models.CharField(max_length=64)
    status = models.PositiveSmallIntegerField()
    content_type = models.CharField(max_length=100)
    sealed_body = models.BinaryField()
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["scope", "key"], name="kept_answer_once_per_key")
        ]
        indexes = [models.Index(fields=["created_at"], name="kept_answer_by_age")]

    def __str__(self) -> str:
        return f"{self.scope} {self.key}"


class PreparedRelease(models.Model):
    """Which code last prepared this database: start-up compares fingerprints instead of looking at each tenant."""

    id = models.PositiveSmallIntegerField(primary_key=True, default=1)
    fingerprint = models.CharField(max_length=64)
    prepared_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.CheckConstraint(condition=models.Q(id=1), name="prepared_release_is_one_row")
        ]

    def __str__(self) -> str:
        return self.fingerprint
