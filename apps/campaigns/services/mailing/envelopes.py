"""A letter to one contact: its values, its headers, its way out."""

from dataclasses import dataclass
from datetime import datetime
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime
from functools import cached_property
from uuid import UUID

from django.conf import settings

from apps.campaigns.models import Mailing
from apps.campaigns.services.mailing.unsubscribing import token_of
from apps.content.services.moulds import Mould
from apps.crm.services.reaching import Addressee
from config.context import require_tenant
from tenants.services import address_at, host_of


@dataclass(frozen=True)
class Writer:
    """Writes one mailing's letters for the tenant in force."""

    mailing: Mailing

    @cached_property
    def _mould(self) -> Mould:
        told = self.mailing
        return Mould.of(subject=told.subject, html=told.html, text=told.text)

    @cached_property
    def sender(self) -> str:
        """The address that bounces come back to."""
        return f"{require_tenant().slug}@{settings.PLAZA_DOMAIN}"

    @cached_property
    def _from(self) -> Address:
        return Address(self.mailing.sender_name, addr_spec=self.sender)

    @cached_property
    def _base(self) -> str:
        return address_at(host_of(require_tenant().slug))

    def write(self, contact_id: UUID, contact: Addressee, *, now: datetime) -> EmailMessage:
        """Raises UnsafeValue, and TooLarge where the contact's values make the letter too long."""
        token = token_of(campaign_id=self.mailing.pk, contact_id=contact_id)
        way_out = f"{self._base}/unsubscribe/{token}"
        filled = self._mould.fill(contact.values | {"unsubscribe_url": way_out})
        letter = EmailMessage(policy=SMTP)
        letter["Subject"] = " ".join(filled.subject.split())
        letter["From"] = self._from
        letter["To"] = Address(addr_spec=contact.email)
        if self.mailing.reply_to:
            letter["Reply-To"] = Address(addr_spec=self.mailing.reply_to)
        letter["Date"] = format_datetime(now)
        # The same at every attempt: a server that has it already can tell.
        letter["Message-ID"] = f"<{self.mailing.pk.hex}.{contact_id.hex}@{settings.PLAZA_DOMAIN}>"
        letter["List-Unsubscribe"] = f"<{way_out}>"
        letter["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
        letter["Feedback-ID"] = f"{self.mailing.pk.hex}:{require_tenant().slug}:plaza"
        letter.set_content(filled.text)
        letter.add_alternative(filled.html, subtype="html")
        return letter
