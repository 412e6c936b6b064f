"""Mail as it came in, read into plain data."""

from email import policy
from email.message import EmailMessage
from email.parser import BytesParser

from tests.standins.store import Json


def read(raw: bytes) -> Json:
    """Headers in their order, decoded; the text and HTML parts; names of attachments."""
    mail = BytesParser(_class=EmailMessage, policy=policy.default).parsebytes(raw)
    return {
        "subject": str(mail.get("Subject", "")),
        "message_id": str(mail.get("Message-ID", "")),
        "headers": [[name, str(value)] for name, value in mail.items()],
        "text": _part(mail, "plain"),
        "html": _part(mail, "html"),
        "attachments": [
            {"name": part.get_filename() or "", "type": part.get_content_type()}
            for part in mail.iter_attachments()
        ],
    }


def _part(mail: EmailMessage, kind: str) -> str | None:
    part = mail.get_body(preferencelist=(kind,))
    return None if part is None else str(part.get_content()).replace("\r\n", "\n")
