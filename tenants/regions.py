"""Where a tenant's data is stored: chosen at sign-up, changed by operators alone.

One installation stores in one region, `PLAZA_REGION`. A tenant of another one is let in no more: nothing
is written to its files here (config/files.py), and no archive of another region becomes a tenant.
"""

from uuid import UUID

from django.conf import settings
from django.db import transaction
from django.utils.translation import gettext as _

from config.errors import ValidationFailed
from tenants.models import Tenant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

LONGEST = 32


def region_of_sign_up(asked: str) -> str:
    """The region to note: this installation's. Raises ValidationFailed where another one is `asked` for."""
    ours: str = settings.PLAZA_REGION
    if asked and asked != ours:
        told = {"region": ours or "–"}
        message = _("Here data is stored in: %(region)s.") % told
        raise ValidationFailed(errors={"data_region": [message]})
    return ours


@transaction.atomic
def move(*, tenant_id: UUID, region: str) -> Tenant:
    """Note another region; moving the data there (export, import) is the operator's work. Raises ValidationFailed."""
    if not region or len(region) > LONGEST or not region.isascii() or not region.isprintable():
        raise ValidationFailed(errors={"data_region": [_("A word of 1 to 32 characters.")]})
    tenant = Tenant.objects.select_for_update().get(pk=tenant_id)
    was, tenant.data_region = tenant.data_region, region
    tenant.save(update_fields=["data_region"])
    change = Change(before={"data_region": was}, after={"data_region": region})
    record(
        Action.TENANT_REGION_CHANGED,
        Subject("tenant", tenant.pk, tenant.slug),
        change,
        tenant_id=tenant.pk,
    )
    return tenant
