"""Notes and tasks, each about one contact, company or deal."""

from typing import ClassVar

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.crm.models.deals import Deal
from apps.crm.models.people import Company, Contact
from config.ids import new_id
from config.personal import Personal
from tenants.querysets import StallModel

NOTE_LENGTH = 20_000
TITLE_LENGTH = 200
_ABOUT_ONE = (
    Q(contact__isnull=False, company=None, deal=None)
    | Q(contact=None, company__isnull=False, deal=None)
    | Q(contact=None, company=None, deal__isnull=False)
)


class About(StallModel):
    """What is about exactly one thing, and goes with it."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, null=True, related_name="%(class)ss", db_index=False
    )
    company = models.ForeignKey(
        Company, on_delete=models.CASCADE, null=True, related_name="%(class)ss", db_index=False
    )
    deal = models.ForeignKey(
        Deal, on_delete=models.CASCADE, null=True, related_name="%(class)ss", db_index=False
    )
    # The person who wrote it.
    author_id = models.UUIDField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        abstract = True
        constraints = [
            models.CheckConstraint(condition=_ABOUT_ONE, name="%(class)s_is_about_one_thing")
        ]
        indexes = [
            models.Index(
                fields=[name, "created_at"],
                condition=Q(**{f"{name}__isnull": False}),
                name=f"%(class)s_of_{name}",
            )
            for name in ("contact", "company", "deal")
        ]

    def __str__(self) -> str:
        return str(self.pk)


class Note(About):
    """What somebody wrote down."""

    text = models.CharField(max_length=NOTE_LENGTH)

    personal: ClassVar[dict[str, Personal]] = {"text": Personal.OTHER}


class Task(About):
    """What somebody has to do, until `done_at`."""

    title = models.CharField(max_length=TITLE_LENGTH)
    text = models.CharField(max_length=NOTE_LENGTH, blank=True, default="")
    due_at = models.DateTimeField(null=True)
    done_at = models.DateTimeField(null=True)
    assignee_id = models.UUIDField(null=True)

    personal: ClassVar[dict[str, Personal]] = {"title": Personal.OTHER, "text": Personal.OTHER}

    class Meta(About.Meta):
        indexes = [
            *About.Meta.indexes,
            # what is to be done, and by whom
            models.Index(
                fields=["assignee_id", "due_at"], condition=Q(done_at=None), name="task_to_be_done"
            ),
        ]
