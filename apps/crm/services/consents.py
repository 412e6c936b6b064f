"""Consent by channel and purpose: every word is kept, the latest counts."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.crm.models import Consent, Contact
from config.errors import NotFound, ValidationFailed

# Clocks of two machines differ; a word from further ahead is a mistake.
_CLOCK_TOLERANCE = timedelta(minutes=5)


class ConsentValues(TypedDict):
    """`recorded_at` is when the contact said it; None is now."""

    channel: str
    purpose: str
    status: str
    source: str
    proof: str
    recorded_at: datetime | None


@transaction.atomic
def record(*, contact_id: UUID, values: ConsentValues, now: datetime) -> Consent:
    """Keep what the contact said. Raises NotFound, and ValidationFailed for a word from the future."""
    if not Contact.objects.filter(pk=contact_id).exists():
        raise NotFound()
    said_at = values["recorded_at"] or now
    if said_at > now + _CLOCK_TOLERANCE:
        raise ValidationFailed(errors={"recorded_at": [_("This lies in the future.")]})
    return Consent.objects.create(
        contact_id=contact_id,
        channel=values["channel"],
        purpose=values["purpose"],
        status=values["status"],
        source=values["source"],
        proof=values.get("proof", ""),
        recorded_at=said_at,
    )


@transaction.atomic
def withdraw(
    *, contact_id: UUID, channel: str, purpose: str, source: str, proof: str, now: datetime
) -> bool:
    """A no; False where the latest word is no yes, or the contact is gone: nothing is added then."""
    if not Contact.objects.select_for_update().filter(pk=contact_id).exists():
        return False
    if not is_granted(contact_id=contact_id, channel=channel, purpose=purpose):
        return False
    Consent.objects.create(
        contact_id=contact_id,
        channel=channel,
        purpose=purpose,
        status=Consent.Status.WITHDRAWN,
        source=source,
        proof=proof,
        recorded_at=now,
    )
    return True


def withdraw_all(
    *, contact_id: UUID, purposes: Iterable[str], source: str, proof: str, now: datetime
) -> int:
    """A no on every channel for these purposes; how many words were added."""
    words = [
        Consent(
            contact_id=contact_id,
            channel=channel,
            purpose=purpose,
            status=Consent.Status.WITHDRAWN,
            source=source,
            proof=proof,
            recorded_at=now,
        )
        for purpose in purposes
        for channel in Consent.Channel.values
    ]
    return len(Consent.objects.bulk_create(words))


def is_granted(*, contact_id: UUID, channel: str, purpose: str) -> bool:
    """Whether the latest word is a yes. Nothing said is a no."""
    latest = (
        Consent.objects.filter(contact_id=contact_id, channel=channel, purpose=purpose)
        .order_by("-recorded_at", "-pk")
        .values_list("status", flat=True)
        .first()
    )
    return latest == Consent.Status.GRANTED
