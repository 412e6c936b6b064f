"""What a campaign mails, and a row for each recipient: whatever is killed, nobody gets it twice.

A recipient is a plain id, so that what was sent stays counted when the contact is erased; the address is
read from the contact when the letter is written.
"""

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Q

from apps.campaigns.models.campaigns import Campaign
from config.ids import new_id
from tenants.querysets import StallModel


class Mailing(StallModel):
    """The letter of one campaign and how far it is sent. The texts are a copy: a template may change later.

    `cursor` is the last contact that was looked at while recipients were chosen; `chosen_at` says that all
    were. The counts are kept with the recipients, in one transaction.
    """

    campaign = models.OneToOneField(
        Campaign, on_delete=models.CASCADE, primary_key=True, related_name="mailing"
    )
    template_id = models.UUIDField(null=True)
    subject = models.CharField(max_length=255)
    html = models.TextField()
    text = models.TextField()
    variables = ArrayField(models.CharField(max_length=40), default=list)
    sender_name = models.CharField(max_length=100)
    reply_to = models.CharField(max_length=254, blank=True, default="", db_default="")
    cursor = models.UUIDField(null=True)
    begun_at = models.DateTimeField(null=True)
    chosen_at = models.DateTimeField(null=True)
    finished_at = models.DateTimeField(null=True)
    # The last sign of life of the task that sends it.
    heartbeat_at = models.DateTimeField(null=True)
    recipients = models.PositiveBigIntegerField(default=0)
    sent = models.PositiveBigIntegerField(default=0)
    failed = models.PositiveBigIntegerField(default=0)
    skipped = models.PositiveBigIntegerField(default=0)
    in_doubt = models.PositiveBigIntegerField(default=0)

    class Meta:
        indexes = [
            # whom the clock wakes
            models.Index(
                fields=["heartbeat_at"],
                condition=Q(begun_at__isnull=False, finished_at=None),
                name="mailing_at_work",
            )
        ]

    def __str__(self) -> str:
        return self.subject


class SendBatch(StallModel):
    """Recipients that one process has in hand, until it says what became of each.

    Its journal lies in the folder of `spool` (services/mailing/journals.py); `boot` is the machine's start,
    after which a journal that was not written to the disk cannot be believed.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    mailing = models.ForeignKey(
        Mailing, on_delete=models.CASCADE, related_name="batches", db_index=True
    )
    spool = models.UUIDField()
    boot = models.UUIDField()
    quantity = models.PositiveIntegerField()
    claimed_at = models.DateTimeField()

    def __str__(self) -> str:
        return str(self.pk)


class Recipient(StallModel):
    """That a campaign's letter is for a contact: the pair is the key, so nobody stands here twice."""

    class State(models.TextChoices):
        WAITING = "waiting"
        IN_HAND = "in_hand"
        SENT = "sent"
        FAILED = "failed"
        SKIPPED = "skipped"
        IN_DOUBT = "in_doubt"

    class Reason(models.TextChoices):
        """Why somebody did not get it, or may not have got it."""

        WITHDRAWN = "withdrawn"
        NO_ADDRESS = "no_address"
        GONE = "gone"
        UNSAFE_VALUE = "unsafe_value"
        REFUSED = "refused"
        GAVE_UP = "gave_up"
        NO_ANSWER = "no_answer"

    pk = models.CompositePrimaryKey("mailing_id", "contact_id")
    mailing = models.ForeignKey(Mailing, on_delete=models.CASCADE, db_index=False)
    contact_id = models.UUIDField()
    state = models.CharField(max_length=16, choices=State, default=State.WAITING)
    reason = models.CharField(max_length=16, choices=Reason, blank=True, default="", db_default="")
    # What the carrier said when it refused.
    answer = models.CharField(max_length=200, blank=True, default="", db_default="")
    # Of a SendBatch, without a foreign key: it would be looked up for each of a million.
    batch_id = models.UUIDField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0, db_default=0)
    not_before = models.DateTimeField(null=True)
    settled_at = models.DateTimeField(null=True)

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(
                    state__in=["waiting", "in_hand", "sent", "failed", "skipped", "in_doubt"]
                ),
                name="recipient_state_is_known",
            ),
            models.CheckConstraint(
                condition=Q(state="in_hand", batch_id__isnull=False)
                | ~Q(state="in_hand") & Q(batch_id=None),
                name="recipient_in_hand_has_batch",
            ),
        ]
        indexes = [
            # who is next: small, since whoever is settled leaves it
            models.Index(
                fields=["mailing", "contact_id"],
                condition=Q(state="waiting"),
                name="recipient_waiting",
            ),
            models.Index(
                fields=["batch_id"],
                condition=Q(batch_id__isnull=False),
                name="recipient_in_hand",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.mailing_id} {self.contact_id}"
