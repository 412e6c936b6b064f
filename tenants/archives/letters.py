"""The mail that an export is ready. It holds no data and opens nothing: who reads it must sign in."""

from datetime import datetime
from uuid import UUID

from django.core.mail import EmailMessage
from django.utils.formats import date_format
from django.utils.translation import gettext as _
from django.utils.translation import override

from config.logs import logger
from config.needs import Permission
from tenants.models import Archive, Member, Person, Tenant
from tenants.services import url_of

log = logger(__name__)
PAGE = "/exports"


def tell_ready(*, archive_id: UUID, now: datetime) -> bool:
    """Write to who asked for the export, in their language; whether a mail was sent. Harmless twice.

    Nobody is told who may not have it any more. Raises what sending raises.
    """
    made = Archive.objects.filter(status=Archive.Status.COMPLETED, notified_at=None)
    row = made.select_related("requested_by").filter(pk=archive_id).first()
    person = row.requested_by if row else None
    if row is None or person is None or not _may_have_it(person, row.tenant_id):
        return False
    tenant = Tenant.objects.get(pk=row.tenant_id)
    with override(person.locale or tenant.locale):
        _letter(row, tenant, person).send()
    Archive.objects.filter(pk=row.pk).update(notified_at=now)
    log.info("export.told", extra={"archive_id": str(row.pk)})
    return True


def _may_have_it(person: Person, tenant_id: UUID) -> bool:
    member = Member.objects.filter(person=person, tenant_id=tenant_id).first()
    return (
        person.is_active
        and member is not None
        and Permission.EXPORTS_DOWNLOAD in member.permissions
    )


def _letter(row: Archive, tenant: Tenant, person: Person) -> EmailMessage:
    facts = {
        # A header of a mail is one line, whatever a name holds.
        "organisation": " ".join(tenant.organisation.split()),
        "until": date_format(row.expires_at, "DATETIME_FORMAT") if row.expires_at else "",
        "url": f"{url_of(tenant)}{PAGE}",
    }
    subject = _("The export of %(organisation)s is ready") % facts
    body = _(
        "The export of %(organisation)s that you asked for is ready.\n\n"
        "Sign in and download it until %(until)s (UTC):\n%(url)s\n\n"
        "It holds all of the organisation's data: keep it as safe as those. If you did not ask for it,"
        " tell your administrators."
    )
    return EmailMessage(subject=subject, body=body % facts, to=[person.email])
