# ruff: noqa: DJ001  (what is absent is NULL: several rows may lack a unique key, none may share one)
"""Contacts, their companies and tags. No key leaves the tenant's schema: people of Plaza are plain ids."""

from typing import Any, ClassVar

from django.contrib.postgres.indexes import GinIndex, OpClass
from django.db import models
from django.db.models import F, Q
from django.db.models.functions import Concat, Lower, Now

from config.ids import new_id
from config.personal import Personal, is_personal_hidden
from tenants.querysets import StallModel, StallQuerySet

NAME_LENGTH = 200
EXTERNAL_ID_LENGTH = 200
E164 = r"^\+[1-9][0-9]{6,14}$"


class Company(StallModel):
    """An organisation that contacts belong to. Its name is how clients and files refer to it, so it is unique."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    name = models.CharField(max_length=NAME_LENGTH)
    domain = models.CharField(max_length=253, blank=True)
    industry = models.CharField(max_length=100, blank=True)
    fields = models.JSONField(default=dict)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="company_once_by_name"),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="company_once_by_external_id",
            ),
            models.CheckConstraint(condition=~Q(name=""), name="company_has_a_name"),
        ]
        indexes = [
            # ?search= on companies
            GinIndex(OpClass(Lower("name"), name="gin_trgm_ops"), name="company_by_part_of_name"),
        ]

    def __str__(self) -> str:
        return self.name


class Tag(StallModel):
    """A word that contacts are sorted by. It keeps its spelling; VIP and vip are one tag."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    name = models.CharField(max_length=100)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("name"), name="tag_once_by_name"),
            models.CheckConstraint(condition=~Q(name=""), name="tag_has_a_name"),
        ]

    def __str__(self) -> str:
        return self.name


# So many ids of companies are sent as a list, which indexes answer; more are left to the planner.
_FEW_COMPANIES = 500


def _companies_named(words: list[str]) -> dict[str, Any]:
    """For each word what `company_id__in` takes. Asks once: the names that hold any of the words."""
    named = Company.objects.annotate(lowered=Lower("name"))
    any_word = Q()
    for word in words:
        any_word |= Q(lowered__contains=word)
    found = list(named.filter(any_word).values_list("pk", "lowered")[: _FEW_COMPANIES + 1])
    if len(found) > _FEW_COMPANIES:
        return {word: named.filter(lowered__contains=word).values("pk") for word in words}
    return {word: [pk for pk, name in found if word in name] for word in words}


class ContactQuerySet(StallQuerySet["Contact"]):
    def for_reading(self) -> "ContactQuerySet":
        """With company and tags, in two queries however many rows."""
        tags = models.Prefetch("tags", queryset=Tag.objects.order_by("name"))
        return self.select_related("company").prefetch_related(tags).defer("search_text")

    def search(self, text: str) -> "ContactQuerySet":
        """Contacts that hold every word of `text` in name, e-mail or company (by trigram index).

        Asks the companies at once, by one query. Where e-mails are hidden they are not searched: letter
        by letter the answers would tell them.
        """
        words = text.lower().split()
        companies = _companies_named(words) if words else {}
        found, is_hidden = self, is_personal_hidden()
        if is_hidden:
            found = found.alias(names=Lower(Concat("first_name", models.Value(" "), "last_name")))
        for word in words:
            by_text = Q(search_text__contains=word)  # by the index, also where it finds too many
            by_name = by_text & Q(names__contains=word) if is_hidden else by_text
            found = found.filter(by_name | Q(company_id__in=companies[word]))
        return found


class Contact(StallModel):
    """A person that the tenant knows: counted by the meter `contacts`, archived or not."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    email = models.CharField(max_length=254, null=True)
    first_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    last_name = models.CharField(max_length=NAME_LENGTH, blank=True, default="")
    phone = models.CharField(max_length=16, null=True)
    company = models.ForeignKey(
        Company, on_delete=models.SET_NULL, null=True, related_name="contacts"
    )
    tags = models.ManyToManyField(Tag, through="ContactTag", related_name="contacts")
    fields = models.JSONField(default=dict)
    owner_id = models.UUIDField(null=True)
    archived_at = models.DateTimeField(null=True)
    created_at = models.DateTimeField(db_default=Now())
    updated_at = models.DateTimeField(db_default=Now())
    search_text = models.GeneratedField(
        expression=Lower(
            Concat("first_name", models.Value(" "), "last_name", models.Value(" "), "email")
        ),
        output_field=models.TextField(),
        db_persist=True,
    )

    objects: ClassVar[Any] = ContactQuerySet.as_manager()
    personal: ClassVar[dict[str, Personal]] = {
        "email": Personal.EMAIL,
        "phone": Personal.PHONE,
        "first_name": Personal.NAME,
        "last_name": Personal.NAME,
        "fields": Personal.OTHER,
    }

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["email"], condition=Q(email__isnull=False), name="contact_once_by_email"
            ),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="contact_once_by_external_id",
            ),
            models.CheckConstraint(
                condition=Q(email=Lower("email")) & ~Q(email=""), name="contact_email_is_lower_case"
            ),
            models.CheckConstraint(
                condition=~Q(external_id=""), name="contact_external_id_is_not_empty"
            ),
            models.CheckConstraint(condition=Q(phone__regex=E164), name="contact_phone_is_e164"),
            models.CheckConstraint(
                condition=Q(email__isnull=False)
                | Q(external_id__isnull=False)
                | Q(phone__isnull=False)
                | ~Q(first_name="")
                | ~Q(last_name=""),
                name="contact_is_somebody",
            ),
        ]
        indexes = [
            # ?search=
            GinIndex(
                OpClass(F("search_text"), name="gin_trgm_ops"), name="contact_by_part_of_name"
            ),
            # ?phone=, ?owner_id=
            models.Index(
                fields=["phone"], condition=Q(phone__isnull=False), name="contact_by_phone"
            ),
            models.Index(
                fields=["owner_id"], condition=Q(owner_id__isnull=False), name="contact_by_owner"
            ),
            # ?created_at__gte=, ?updated_at__gte= (programs that keep a copy), ?ordering=
            models.Index(fields=["created_at", "id"], name="contact_by_creation"),
            models.Index(fields=["updated_at", "id"], name="contact_by_change"),
        ]

    def __str__(self) -> str:
        return str(self.pk)


class ContactTag(StallModel):
    """That a contact carries a tag: the pair is the key."""

    pk = models.CompositePrimaryKey("contact_id", "tag_id")
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="contact_tags", db_index=False
    )
    tag = models.ForeignKey(
        Tag, on_delete=models.CASCADE, related_name="contact_tags", db_index=False
    )

    class Meta:
        indexes = [
            # ?tag= in order of contacts
            models.Index(fields=["tag", "contact"], name="contact_tag_by_tag"),
        ]

    def __str__(self) -> str:
        return f"{self.contact_id} {self.tag_id}"
