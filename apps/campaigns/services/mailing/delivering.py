"""Hand a batch to the carrier, one letter after the other, with each step in the journal."""

import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import cast
from uuid import UUID

from apps.campaigns.carriers.smtp import CarrierAway, LetterRefused, SmtpCarrier
from apps.campaigns.models import Recipient
from apps.campaigns.services.mailing.batches import SENT, Fate, InHand, put_off
from apps.campaigns.services.mailing.envelopes import NoMailbox, Writer, mailbox
from apps.campaigns.services.mailing.journals import Journal, Mark
from apps.content.services.moulds import UnsafeValue
from apps.content.substitution import TooLarge
from apps.crm.services.reaching import Addressee, addressees
from config.logs import logger

log = logger(__name__)
_LONGEST_SECONDS = 45
State, Reason = Recipient.State, Recipient.Reason
IN_DOUBT = Fate(State.IN_DOUBT, Reason.NO_ANSWER)


@dataclass(slots=True)
class Delivery:
    """One batch on its way; `fates` holds whoever had a turn."""

    held: InHand
    writer: Writer
    journal: Journal
    now: datetime
    open_carrier: Callable[[], SmtpCarrier] = SmtpCarrier
    fates: dict[UUID, Fate] = field(default_factory=dict)

    def run(self) -> bool:
        """Until all had their turn, or the time is up; False if the carrier is away."""
        contacts = addressees(self.held.contacts)
        waiting = deque(enumerate(self.held.contacts))
        until = time.monotonic() + _LONGEST_SECONDS
        while waiting and time.monotonic() < until:
            before = len(waiting)
            try:
                with self.open_carrier() as carrier:
                    while waiting and time.monotonic() < until:
                        place, contact_id = waiting[0]
                        self._one(carrier, place, contact_id, contacts.get(contact_id))
                        waiting.popleft()
            except CarrierAway as away:
                if waiting and self.journal.at(waiting[0][0]) is Mark.HANDED_OVER:
                    self.fates[waiting.popleft()[1]] = IN_DOUBT
                # A server may end a connection after some letters; one that takes none is away.
                if len(waiting) == before:
                    log.warning("campaigns.carrier_away", extra={"reason": str(away)[:200]})
                    return False
        return True

    def _one(
        self, carrier: SmtpCarrier, place: int, contact_id: UUID, contact: Addressee | None
    ) -> None:
        if contact is None or (reason := _why_not(contact)):
            reason = Reason.GONE if contact is None else reason
            self.fates[contact_id] = Fate(State.SKIPPED, reason)
            return
        try:
            letter = self.writer.write(contact_id, contact, now=self.now)
        except (UnsafeValue, TooLarge):
            self.fates[contact_id] = Fate(State.SKIPPED, Reason.UNSAFE_VALUE)
            return
        except NoMailbox:
            self.fates[contact_id] = Fate(State.SKIPPED, Reason.NO_ADDRESS)
            return
        try:
            carrier.hand_over(
                letter,
                sender=self.writer.sender,
                to=mailbox(contact.email),
                before=lambda: self.journal.mark(place, Mark.HANDED_OVER),
            )
        except LetterRefused as refused:
            mark = Mark.REFUSED if refused.is_permanent else Mark.PUT_OFF
            self.journal.mark(place, mark)
            fate = fate_of(mark, self.held, contact_id, self.now, refused.answer)
            self.fates[contact_id] = cast("Fate", fate)  # None is of an untouched one
        else:
            self.journal.mark(place, Mark.ACCEPTED)
            self.fates[contact_id] = SENT


def fate_of(
    mark: Mark, held: InHand, contact_id: UUID, now: datetime, answer: str = ""
) -> Fate | None:
    """What a mark says; None of a letter that nobody touched."""
    if mark is Mark.PUT_OFF:
        return put_off(answer, attempts=held.attempts[contact_id], now=now)
    if mark is Mark.REFUSED:
        return Fate(State.FAILED, Reason.REFUSED, answer)
    return {Mark.ACCEPTED: SENT, Mark.HANDED_OVER: IN_DOUBT}.get(mark)


def _why_not(contact: Addressee) -> str:
    """An address may have changed since, a consent may have been withdrawn."""
    if contact.is_archived:
        return Reason.GONE
    if not contact.has_consented:
        return Reason.WITHDRAWN
    return "" if contact.email else Reason.NO_ADDRESS
