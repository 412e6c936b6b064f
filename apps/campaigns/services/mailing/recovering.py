"""What the clock does for mailings: settle the batches of processes that are gone, wake what fell silent."""

from datetime import datetime, timedelta
from uuid import UUID

from django.db import transaction

from apps.campaigns.models import Campaign, Mailing, Recipient, SendBatch
from apps.campaigns.services.mailing import batches
from apps.campaigns.services.mailing.batches import Fate, InHand
from apps.campaigns.services.mailing.delivering import IN_DOUBT, fate_of
from apps.campaigns.services.mailing.journals import (
    Journal,
    JournalInUse,
    boot_id,
    spool_id,
)
from config.celery import later

# A batch takes at most 45 s, and each writes its heartbeat.
SILENT_FOR = timedelta(seconds=60)
# After this nobody comes back to a spool: its machine is gone, and what it sent is not known.
SPOOL_LOST_AFTER = timedelta(hours=1)
_AT_ONCE = 100


def settle_left_behind(*, now: datetime) -> int:
    """Settle what processes of this machine had in hand when they ended; how many batches."""
    old = SendBatch.objects.filter(claimed_at__lt=now - SILENT_FOR).order_by("claimed_at")
    return sum(_settled(batch, now) for batch in old[:_AT_ONCE])


def _settled(batch: SendBatch, now: datetime) -> bool:
    held = InHand(batch, _attempts(batch))
    if batch.spool != spool_id():
        if batch.claimed_at > now - SPOOL_LOST_AFTER:
            return False
        return batches.settle(held=held, fates=dict.fromkeys(held.attempts, IN_DOUBT), now=now)
    try:
        journal = Journal(batch.pk, batch.quantity)
    except JournalInUse:
        return False
    is_settled = False
    try:
        is_settled = batches.settle(held=held, fates=_fates(held, journal, now), now=now)
    finally:
        journal.close(is_settled=is_settled)
    return is_settled


def _fates(held: InHand, journal: Journal, now: datetime) -> dict[UUID, Fate]:
    """By the journal; of one from before the machine's last start only what it says was accepted is sure."""
    is_whole = held.batch.boot == boot_id()
    found: dict[UUID, Fate] = {}
    for place, contact_id in enumerate(held.contacts):
        mark = journal.at(place)
        fate = fate_of(mark, held, contact_id, now)
        if fate is None and not is_whole:
            fate = IN_DOUBT
        if fate is not None:
            found[contact_id] = fate
    return found


def _attempts(batch: SendBatch) -> dict[UUID, int]:
    rows = Recipient.objects.filter(batch_id=batch.pk).order_by("contact_id")
    return dict(rows.values_list("contact_id", "attempts"))


@transaction.atomic
def wake_silent(*, now: datetime) -> int:
    """Promise again the mailings of running campaigns that have not been heard of for SILENT_FOR; how many."""
    silent = Mailing.objects.select_for_update(skip_locked=True, of=("self",)).filter(
        campaign__status=Campaign.Status.ACTIVE,
        begun_at__isnull=False,
        finished_at=None,
        heartbeat_at__lt=now - SILENT_FOR,
    )
    woken = list(silent.values_list("pk", flat=True)[:_AT_ONCE])
    Mailing.objects.filter(pk__in=woken).update(heartbeat_at=now)
    for campaign_id in woken:
        later("campaigns.send_letters", campaign_id=str(campaign_id))
    return len(woken)
