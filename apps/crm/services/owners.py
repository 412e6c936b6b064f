"""Whose a contact is: a member of the tenant, named by the person's id (`/members`: `person.id`)."""

from collections.abc import Collection, Iterable, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.crm.models import Contact
from config.errors import ValidationFailed
from tenants.identity.people import members_among

# Members who were asked for before, for a whole batch; None asks when it is needed.
Known = Collection[UUID] | None


def known_among(items: Iterable[object]) -> frozenset[UUID]:
    """Of the owners that a batch's items name, as they came from outside, those who are members. One query."""
    named = (item.get("owner_id") for item in items if isinstance(item, dict))
    ids = {found for text in named if (found := _id(text)) is not None}
    return members_among(ids) if ids else frozenset()


def assign(contact: Contact, values: Mapping[str, Any], *, known: Known) -> None:
    """Give the contact the owner that `values` name. Raises ValidationFailed unless it is nobody or a member.

    At most one query. An owner who left meanwhile may stay: who sends a contact back changes nothing of it.
    """
    owner_id = values.get("owner_id", contact.owner_id)
    if owner_id == contact.owner_id:
        return
    if owner_id is not None:
        members = members_among({owner_id}) if known is None else known
        if owner_id not in members:
            message = _("No member here is the person with this id; /members tells who is.")
            raise ValidationFailed(errors={"owner_id": [message]})
    contact.owner_id = owner_id


def _id(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
