"""Whom the tenant may write to for marketing by e-mail: the latest word of each contact is a yes."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db.models import Exists, F, OuterRef, QuerySet, Subquery
from django.db.models.functions import Lower

from apps.crm.models import Consent, Contact, ContactTag, Tag


@dataclass(frozen=True, slots=True)
class Audience:
    """`tags` None is everyone. Tags are names, their case aside."""

    tags: tuple[str, ...] | None
    without_tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Addressee:
    """A contact as a letter needs it, at this moment."""

    email: str
    is_archived: bool
    has_consented: bool
    values: dict[str, str]


def reached(audience: Audience) -> QuerySet[Contact]:
    """Who has an address and has consented, in no order."""
    found: QuerySet[Contact] = Contact.objects.filter(archived_at=None, email__isnull=False)
    if audience.tags is not None:
        found = found.filter(_tagged(audience.tags))
    if audience.without_tags:
        found = found.exclude(_tagged(audience.without_tags))
    return found.alias(word=_latest_word()).filter(word=Consent.Status.GRANTED)


def ids_after(cursor: UUID | None, *, made_by: datetime, most: int) -> list[UUID]:
    """The next contacts that existed at `made_by`, in order of their ids."""
    contacts = Contact.objects.filter(created_at__lte=made_by)
    if cursor is not None:
        contacts = contacts.filter(pk__gt=cursor)
    return list(contacts.order_by("pk").values_list("pk", flat=True)[:most])


def addressees(ids: Collection[UUID]) -> dict[UUID, Addressee]:
    """In one query; who is gone is not in it."""
    rows = Contact.objects.filter(pk__in=ids).values(
        "pk", "email", "archived_at", "fields", "first_name", "last_name",
        company_name=F("company__name"), word=_latest_word(),
    )  # fmt: skip
    return {row["pk"]: _addressee(row) for row in rows}


def _addressee(row: Mapping[str, Any]) -> Addressee:
    named = {name: row[name] for name in ("email", "first_name", "last_name")}
    named["company"] = row["company_name"]
    own = {
        name: str(value)
        for name, value in row["fields"].items()
        if isinstance(value, str | int | float)
    }
    return Addressee(
        email=row["email"] or "",
        is_archived=row["archived_at"] is not None,
        has_consented=row["word"] == Consent.Status.GRANTED,
        # What is empty is left out: a letter's default stands there.
        values={name: value for name, value in (own | named).items() if value},
    )


def _latest_word() -> Subquery:
    said = Consent.objects.filter(
        contact=OuterRef("pk"), channel=Consent.Channel.EMAIL, purpose=Consent.Purpose.MARKETING
    ).order_by("-recorded_at", "-pk")
    return Subquery(said.values("status")[:1])


def _tagged(words: Sequence[str]) -> Exists:
    named = Tag.objects.annotate(lowered=Lower("name")).filter(
        lowered__in=[word.lower() for word in words]
    )
    return Exists(ContactTag.objects.filter(contact=OuterRef("pk"), tag__in=named))
