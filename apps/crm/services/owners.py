"""Whose a contact is: a member of the tenant, named by the person's id (`/members`: `person.id`)."""

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.crm.models import Contact
from config.errors import ValidationFailed
from tenants.identity.people import members_among


def assign(contact: Contact, values: Mapping[str, Any]) -> None:
    """Give the contact the owner that `values` name. Raises ValidationFailed unless it is nobody or a member.

    At most one query. An owner who left meanwhile may stay: who sends a contact back changes nothing of it.
    """
    if "owner_id" in values:
        contact.owner_id = checked(contact.owner_id, values["owner_id"], None)


def checked(
    former: UUID | None,
    wanted: UUID | None,
    members: Collection[UUID] | None,
    *,
    field: str = "owner_id",
) -> UUID | None:
    """`wanted`, unless it is neither nobody nor `former` nor a member. `members` None asks. Raises ValidationFailed."""
    if wanted is None or wanted == former:
        return wanted
    if wanted not in (members_among({wanted}) if members is None else members):
        message = _("No member here is the person with this id; /members tells who is.")
        raise ValidationFailed(errors={field: [message]})
    return wanted
