"""Whose a contact is: a member of the tenant, named by the person's id (`/members`: `person.id`)."""

from collections.abc import Collection, Iterable
from uuid import UUID

from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from tenants.identity.people import members_among


def known_among(items: Iterable[object]) -> frozenset[UUID]:
    """Of the owners that a batch's items name, as they came from outside, those who are members. One query."""
    named = (item.get("owner_id") for item in items if isinstance(item, dict))
    ids = {found for text in named if (found := _id(text)) is not None}
    return members_among(ids) if ids else frozenset()


def check(owner_id: UUID | None, *, known: Collection[UUID] | None) -> None:
    """Raise ValidationFailed unless it is nobody or a member. `known` are members that were asked for
    before; None asks now, by one query.
    """
    if owner_id is None:
        return
    members = members_among({owner_id}) if known is None else known
    if owner_id not in members:
        message = _("No member here is the person with this id; /members tells who is.")
        raise ValidationFailed(errors={"owner_id": [message]})


def _id(text: object) -> UUID | None:
    try:
        return UUID(text) if isinstance(text, str) else None
    except ValueError:
        return None
