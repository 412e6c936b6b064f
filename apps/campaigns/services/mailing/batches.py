"""Take recipients in hand, and say what became of them: each move of a recipient is one conditional update."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F

from apps.campaigns.models import Campaign, Mailing, Recipient, SendBatch
from apps.campaigns.services.mailing.journals import boot_id, spool_id
from config.cause import for_campaign
from config.context import require_tenant
from config.needs import Meter
from quotas import ledger

State, Reason = Recipient.State, Recipient.Reason
_MOST_ATTEMPTS = 6
_FIRST_WAIT = timedelta(minutes=5)


@dataclass(frozen=True, slots=True)
class Fate:
    """What became of one recipient. `answer` is the carrier's; one that waits again does so till `not_before`."""

    state: str
    reason: str = ""
    answer: str = ""
    not_before: datetime | None = None


SENT = Fate(State.SENT)
# Its turn did not come: that was no attempt.
UNTOUCHED = Fate(State.WAITING)


def put_off(answer: str, *, attempts: int, now: datetime) -> Fate:
    """Not now, says the carrier: again after 5, 10, 20… minutes, and given up at the sixth time."""
    if attempts + 1 >= _MOST_ATTEMPTS:
        return Fate(State.FAILED, Reason.GAVE_UP, answer)
    return Fate(State.WAITING, "", answer, now + _FIRST_WAIT * 2**attempts)


@dataclass(frozen=True, slots=True)
class InHand:
    """A batch and, in the order of its journal's marks, its recipients with how often each was tried."""

    batch: SendBatch
    attempts: Mapping[UUID, int]

    @property
    def contacts(self) -> Sequence[UUID]:
        return list(self.attempts)


@transaction.atomic
def take(*, campaign_id: UUID, most: int, now: datetime) -> InHand | None:
    """Up to `most` recipients, and as many e-mails of the plan; None where nobody waits or it does not run.

    Raises QuotaExceeded and SpendCapReached where the plan has not so many left, with nothing taken.
    """
    # Against a pause of this moment: whoever pauses waits for this commit, and finds what is in hand.
    is_active = Campaign.objects.filter(pk=campaign_id, status=Campaign.Status.ACTIVE)
    if not list(is_active.select_for_update(no_key=True).values_list("pk")):
        return None
    batch = SendBatch(mailing_id=campaign_id, spool=spool_id(), boot=boot_id(), claimed_at=now)
    with connection.cursor() as cursor:
        cursor.execute(_TAKE, [str(batch.pk), str(campaign_id), now, most])
        attempts = dict(sorted(cursor.fetchall()))
    if not attempts:
        return None
    batch.quantity = len(attempts)
    batch.save(force_insert=True)
    Mailing.objects.filter(pk=campaign_id).update(heartbeat_at=now)
    with for_campaign(campaign_id):
        ledger.consume(
            tenant_id=require_tenant().id,
            meter=Meter.EMAILS,
            quantity=batch.quantity,
            key=_key(batch.pk),
            now=now,
        )
    return InHand(batch, attempts)


@transaction.atomic
def settle(*, held: InHand, fates: Mapping[UUID, Fate], now: datetime) -> bool:
    """Write the fates of a batch's recipients; False if somebody else has done it. Unsent ones cost nothing.

    Who is not among `fates` waits again, as after an end of the process before their turn.
    """
    mine = SendBatch.objects.select_for_update().filter(pk=held.batch.pk)
    if not list(mine.values_list("pk")):
        return False
    counts: Counter[str] = Counter()
    for fate, ids in _by_fate(held.contacts, fates).items():
        counts[fate.state] += _move(held.batch, fate, ids, now)
    counted = {name: F(name) + counts[name] for name in ("sent", "failed", "skipped", "in_doubt")}
    Mailing.objects.filter(pk=held.batch.mailing_id).update(heartbeat_at=now, **counted)
    unsent = counts[State.WAITING] + counts[State.SKIPPED] + counts[State.FAILED]
    if unsent:
        ledger.refund(
            tenant_id=require_tenant().id,
            meter=Meter.EMAILS,
            quantity=unsent,
            key=_key(held.batch.pk),
            now=now,
        )
    mine.delete()
    return True


def _by_fate(contacts: Iterable[UUID], fates: Mapping[UUID, Fate]) -> dict[Fate, list[UUID]]:
    found: dict[Fate, list[UUID]] = {}
    for contact_id in contacts:
        found.setdefault(fates.get(contact_id, UNTOUCHED), []).append(contact_id)
    return found


def _move(batch: SendBatch, fate: Fate, ids: list[UUID], now: datetime) -> int:
    rows = Recipient.objects.filter(
        mailing_id=batch.mailing_id, contact_id__in=ids, batch_id=batch.pk
    )
    told = {"state": fate.state, "reason": fate.reason, "answer": fate.answer[:200]}
    if fate == UNTOUCHED:
        return rows.update(batch_id=None, **told)
    if fate.state == State.WAITING:
        later = {"not_before": fate.not_before}
        return rows.update(batch_id=None, attempts=F("attempts") + 1, **later, **told)
    return rows.update(batch_id=None, attempts=F("attempts") + 1, settled_at=now, **told)


def _key(batch_id: UUID) -> str:
    return f"letters:{batch_id}"


_TAKE = """
    UPDATE campaigns_recipient SET state = 'in_hand', batch_id = %s
    WHERE (mailing_id, contact_id) IN (
        SELECT mailing_id, contact_id FROM campaigns_recipient
        WHERE mailing_id = %s AND state = 'waiting' AND (not_before IS NULL OR not_before <= %s)
        ORDER BY contact_id LIMIT %s FOR UPDATE SKIP LOCKED
    )
    RETURNING contact_id, attempts
"""
