"""A letter to one contact, as the bytes that a mail server takes (RFC 5322, MIME).

Written by hand, since `email`'s generator takes 3 ms for each of a million letters: what is the same for all is
written once, and the parts are quoted-printable, which needs no look at their text.
"""

import binascii
from dataclasses import dataclass
from datetime import datetime
from email.header import Header
from email.utils import format_datetime, formataddr
from functools import cached_property
from uuid import UUID

from django.conf import settings

from apps.campaigns.models import Mailing
from apps.campaigns.services.mailing.unsubscribing import token_of
from apps.content.services.moulds import Mould
from apps.crm.services.reaching import Addressee
from config.context import require_tenant
from tenants.services import address_at, host_of


class NoMailbox(ValueError):
    """Mail servers take no such address: its part before the @ is not of ASCII."""


def mailbox(address: str) -> str:
    """The address as mail servers know it: a domain of other letters by its ASCII name. Raises NoMailbox."""
    local, _, domain = address.rpartition("@")
    try:
        return f"{local.encode('ascii').decode()}@{domain.encode('idna').decode()}"
    except UnicodeError as error:
        raise NoMailbox(address) from error


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
    def _base(self) -> str:
        return address_at(host_of(require_tenant().slug))

    @cached_property
    def _boundary(self) -> str:
        # In quoted-printable `=_` stands nowhere.
        return f"=_{self.mailing.pk.hex}"

    @cached_property
    def _same(self) -> str:
        """The headers that all letters have."""
        told = self.mailing
        lines = [
            f"From: {formataddr((told.sender_name, self.sender))}",
            *([f"Reply-To: {mailbox(told.reply_to)}"] if told.reply_to else []),
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",  # RFC 8058
            f"Feedback-ID: {told.pk.hex}:{require_tenant().slug}:plaza",
            "MIME-Version: 1.0",
            f'Content-Type: multipart/alternative; boundary="{self._boundary}"',
        ]
        return "\r\n".join(lines)

    def write(self, contact_id: UUID, contact: Addressee, *, now: datetime) -> bytes:
        """Raises UnsafeValue, NoMailbox, and TooLarge where the contact's values make the letter too long."""
        token = token_of(campaign_id=self.mailing.pk, contact_id=contact_id)
        way_out = f"{self._base}/unsubscribe/{token}"
        filled = self._mould.fill(contact.values | {"unsubscribe_url": way_out})
        # The Message-ID is the same at every attempt: a server that has the letter already can tell.
        name = f"{self.mailing.pk.hex}.{contact_id.hex}@{settings.PLAZA_DOMAIN}"
        head = "\r\n".join(
            (
                _header("Subject", " ".join(filled.subject.split())),
                f"To: {mailbox(contact.email)}",
                f"Date: {format_datetime(now)}",
                f"Message-ID: <{name}>",
                f"List-Unsubscribe: <{way_out}>",
                self._same,
            )
        )
        plain, html = _part("plain", filled.text), _part("html", filled.html)
        line = f"\r\n--{self._boundary}".encode()
        return b"".join((head.encode(), b"\r\n", line, plain, line, html, line, b"--\r\n"))


def _header(name: str, value: str) -> str:
    """Folded, and encoded where it is not of ASCII (RFC 2047)."""
    charset = "ascii" if value.isascii() else "utf-8"
    written = Header(value, charset, header_name=name).encode(linesep="\r\n")
    return f"{name}: {written}"


def _part(subtype: str, text: str) -> bytes:
    head = (
        f'\r\nContent-Type: text/{subtype}; charset="utf-8"'
        "\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n"
    )
    lines = text.replace("\r\n", "\n").replace("\r", "\n").encode()
    return head.encode() + binascii.b2a_qp(lines, istext=True).replace(b"\n", b"\r\n")
