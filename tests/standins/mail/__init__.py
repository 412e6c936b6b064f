"""A sink for mail (SMTP in, HTTP out) and for SMS in Twilio's manner."""

from tests.standins.mail.app import MailStandin

__all__ = ["MailStandin"]
