"""Letters by SMTP: the mail server of the environment (`EMAIL_URL`), one connection for a whole batch."""

import smtplib
from collections.abc import Callable
from dataclasses import dataclass
from types import TracebackType
from typing import Self

from django.conf import settings

_PERMANENT = 500
_ACCEPTED = 250
_GO_AHEAD = 354


class CarrierAway(Exception):
    """The mail server cannot be reached, or ended the connection: nothing is known to be wrong with the letter."""


@dataclass(frozen=True, slots=True)
class LetterRefused(Exception):
    """The server says no to this letter; `is_permanent` for ever, else for now."""

    answer: str
    is_permanent: bool


class SmtpCarrier:
    """One connection, opened by `with`. Raises CarrierAway."""

    def __enter__(self) -> Self:
        make = smtplib.SMTP_SSL if settings.EMAIL_USE_TLS else smtplib.SMTP
        try:
            self._smtp = make(
                settings.EMAIL_HOST, settings.EMAIL_PORT, timeout=settings.EMAIL_TIMEOUT
            )
            self._smtp.ehlo_or_helo_if_needed()
            if settings.EMAIL_HOST_USER:
                self._smtp.login(settings.EMAIL_HOST_USER, settings.EMAIL_HOST_PASSWORD)
        except (OSError, smtplib.SMTPException) as error:
            raise CarrierAway(str(error)) from error
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._smtp.close()

    def hand_over(self, letter: bytes, *, sender: str, to: str, before: Callable[[], None]) -> None:
        """Send one letter; `before` is called right before the line after which the server may keep it.

        Raises LetterRefused; CarrierAway, after `before` too: then nobody knows.
        """
        try:
            self._ask(f"MAIL FROM:<{sender}>", _ACCEPTED)
            self._ask(f"RCPT TO:<{to}>", _ACCEPTED)
            self._ask("DATA", _GO_AHEAD)
            before()
            self._smtp.send(_dotted(letter))
            self._expect(self._smtp.getreply(), _ACCEPTED)
        except LetterRefused:
            self._start_over()
            raise
        except (OSError, smtplib.SMTPException) as error:
            raise CarrierAway(str(error)) from error

    def _ask(self, line: str, wanted: int) -> None:
        self._expect(self._smtp.docmd(line), wanted)

    def _expect(self, reply: tuple[int, bytes], wanted: int) -> None:
        code, words = reply
        if code == 421:  # the server closes the connection
            raise CarrierAway(words.decode(errors="replace"))
        if code != wanted:
            answer = f"{code} {words.decode(errors='replace')}"
            raise LetterRefused(answer, is_permanent=code >= _PERMANENT)

    def _start_over(self) -> None:
        try:
            self._smtp.rset()
        except (OSError, smtplib.SMTPException) as error:
            raise CarrierAway(str(error)) from error


def _dotted(written: bytes) -> bytes:
    """The letter as SMTP takes it: a dot that begins a line is doubled, a lone one ends it (RFC 5321, 4.5.2)."""
    doubled = written.replace(b"\r\n.", b"\r\n..")
    if doubled.startswith(b"."):
        doubled = b"." + doubled
    return (doubled if doubled.endswith(b"\r\n") else doubled + b"\r\n") + b".\r\n"
