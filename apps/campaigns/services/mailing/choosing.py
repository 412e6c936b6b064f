"""Who gets the letter: rows for recipients, made set-wise from the contacts, a window of ids at a time."""

from datetime import datetime
from uuid import UUID

from django.db import connection, transaction
from django.db.models import F, Value

from apps.campaigns.models import Mailing
from apps.campaigns.services.mailing.audience import audience_of
from apps.crm.services import reaching

WINDOW = 20_000


@transaction.atomic
def choose_more(*, campaign_id: UUID, now: datetime) -> bool:
    """Add the recipients among the next contacts; False when all have been looked at.

    Contacts made after the campaign began are none. Harmless twice and beside another worker: each
    holds the mailing. Raises ValidationFailed where the audience cannot be understood.
    """
    mailing = Mailing.objects.select_for_update().select_related("campaign").get(pk=campaign_id)
    if mailing.chosen_at is not None or mailing.begun_at is None:
        return False
    ids = reaching.ids_after(mailing.cursor, made_by=mailing.begun_at, most=WINDOW)
    if ids:
        mailing.recipients += _add(mailing, ids[0], ids[-1])
        mailing.cursor = ids[-1]
    if len(ids) < WINDOW:
        mailing.chosen_at = now
    mailing.heartbeat_at = now
    mailing.save(update_fields=["recipients", "cursor", "chosen_at", "heartbeat_at"])
    return mailing.chosen_at is None


def _add(mailing: Mailing, first: UUID, last: UUID) -> int:
    found = (
        reaching.reached(audience_of(mailing.campaign.target_audience))
        .filter(pk__gte=first, pk__lte=last, created_at__lte=mailing.begun_at)
        .annotate(mailing_id=Value(mailing.pk), contact_id=F("pk"), standing=Value("waiting"))
        .values_list("mailing_id", "contact_id", "standing")
    )
    select, parameters = found.query.sql_with_params()
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO campaigns_recipient (mailing_id, contact_id, state)"
            f" {select} ON CONFLICT DO NOTHING",
            parameters,
        )
        return int(cursor.rowcount)
