"""Inviting somebody for whom there is no seat left: one more is bought, for the rest of the period and on."""

from datetime import datetime
from uuid import UUID

from django.db import transaction

from billing.models import Invitation, Subscription
from billing.refusals import SeatNeedsConsent
from billing.services import amending, consenting, seats
from billing.services.finding import subscription_of
from billing.services.seats import Guest
from billing.services.terms import present_terms
from billing.services.wishes import Wish, wished
from config.needs import Meter
from quotas.refusals import QuotaExceeded
from tenants.models import Member

CHANGE_PATH = "/api/v1/subscription/change"


@transaction.atomic
def invite_buying(*, tenant_id: UUID, guest: Guest, by: Member, now: datetime) -> Invitation:
    """`seats.invite`, with a seat bought where none is left. Both happen, or neither.

    Raises what `seats.invite` and `amending.change` raise, and SeatNeedsConsent where the buyer must agree
    first: whoever invites is seldom the one who pays, and a guest is not kept waiting for it.
    """
    # Locked first, so that of many who buy at once each finds what the others have bought.
    row = subscription_of(tenant_id, for_update=True)
    try:
        with transaction.atomic():
            return seats.invite(tenant_id=tenant_id, guest=guest, by=by, now=now)
    except QuotaExceeded as refused:
        if refused.facts["meter"] != Meter.SEATS.value or present_terms(row) is None:
            raise
        wish = Wish(seats=refused.facts["used"] + 1)
    _refuse_unconsented(row, wish)
    amending.change(tenant_id=tenant_id, wish=wish, now=now)
    return seats.invite(tenant_id=tenant_id, guest=guest, by=by, now=now)


def _refuse_unconsented(row: Subscription, wish: Wish) -> None:
    present = present_terms(row)
    if present and consenting.is_asked(row, present, wished(row, present, wish)):
        raise SeatNeedsConsent(seats=wish.seats, change=CHANGE_PATH)
