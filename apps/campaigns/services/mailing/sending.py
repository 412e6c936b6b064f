"""The work of a mailing, step by step; each step commits, so that any process goes on where one was killed."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from apps.campaigns.models import Campaign, Mailing, Recipient, SendBatch
from apps.campaigns.services import lifecycle
from apps.campaigns.services.lifecycle import Verb
from apps.campaigns.services.mailing import batches, choosing
from apps.campaigns.services.mailing.batches import InHand
from apps.campaigns.services.mailing.delivering import Delivery
from apps.campaigns.services.mailing.envelopes import Writer
from apps.campaigns.services.mailing.journals import Journal, JournalInUse
from config.context import require_tenant
from config.errors import DomainError, ValidationFailed
from config.logs import logger
from config.needs import Meter
from quotas import ledger
from quotas.refusals import UsageRefused

log = logger(__name__)
BATCH = 200
_ALL_WRITTEN = "clock: everybody was written to"


def advance(*, campaign_id: UUID, now: datetime) -> bool:
    """Choose the next recipients, or write to the next ones; False: the mailing rests."""
    mailing = Mailing.objects.filter(
        pk=campaign_id, campaign__status=Campaign.Status.ACTIVE, finished_at=None
    ).first()
    if mailing is None:
        return False
    try:
        if mailing.chosen_at is None:
            choosing.choose_more(campaign_id=campaign_id, now=now)
            return True
        held = _next(campaign_id, now)
    except (UsageRefused, ValidationFailed) as refused:
        return _pause(campaign_id, refused, now)
    return _finish(campaign_id, now) if held is None else _deliver(mailing, held, now)


def _next(campaign_id: UUID, now: datetime) -> InHand | None:
    """A batch; at the end of the plan's e-mails as many as are left. Raises UsageRefused where none is."""
    try:
        return batches.take(campaign_id=campaign_id, most=BATCH, now=now)
    except UsageRefused:
        left = ledger.remaining(tenant_id=require_tenant().id, meter=Meter.EMAILS, now=now)
        if not left or left >= BATCH:
            raise
        return batches.take(campaign_id=campaign_id, most=left, now=now)


def _deliver(mailing: Mailing, held: InHand, now: datetime) -> bool:
    try:
        journal = Journal(held.batch.pk, held.batch.quantity)
    except JournalInUse:
        return True  # it was taken for a dead one's; whoever has it settles it
    is_settled = False
    try:
        # Whoever settled it in the meantime held the journal, and has deleted the batch.
        if not SendBatch.objects.filter(pk=held.batch.pk).exists():
            is_settled = True
            return True
        delivery = Delivery(held, Writer(mailing), journal, now)
        is_there = delivery.run()
        is_settled = batches.settle(held=held, fates=delivery.fates, now=now)
        return is_there
    finally:
        journal.close(is_settled=is_settled)


@transaction.atomic
def _finish(campaign_id: UUID, now: datetime) -> bool:
    """Complete the campaign when nobody waits and nothing is in hand. False."""
    campaign = lifecycle.locked(campaign_id)
    left = Recipient.objects.filter(mailing_id=campaign_id).filter(
        Q(state=Recipient.State.WAITING) | Q(batch_id__isnull=False)
    )
    if campaign.status != Campaign.Status.ACTIVE or left.exists():
        return False
    Mailing.objects.filter(pk=campaign_id).update(finished_at=now, heartbeat_at=now)
    lifecycle.move(
        campaign_id=campaign_id, verb=Verb.COMPLETE, by_id=None, reason=_ALL_WRITTEN, now=now
    )
    log.info("campaigns.mailing_finished", extra={"campaign_id": str(campaign_id)})
    return False


@transaction.atomic
def _pause(campaign_id: UUID, refused: DomainError, now: datetime) -> bool:
    """What holds it up is told in the campaign's history; whoever mends it resumes the campaign. False."""
    campaign = lifecycle.locked(campaign_id)
    if campaign.status == Campaign.Status.ACTIVE:
        lifecycle.move(
            campaign_id=campaign_id,
            verb=Verb.PAUSE,
            by_id=None,
            reason=f"clock: {refused.code}",
            now=now,
        )
        log.warning("campaigns.mailing_paused", extra={"reason": refused.code})
    return False
