"""A letter's bytes, as mail programs read them."""

from email import message_from_bytes
from email.policy import default
from typing import Any

from apps.campaigns.services.mailing.envelopes import Writer
from apps.crm.services.reaching import Addressee
from tenants.isolation import tenant_context
from tests.factories import MailingFactory


def test_a_letter_s_bytes_are_read_back_as_they_were_meant(acme, now):
    """What mail programs read of headers and parts: long, accented, hostile, and a domain of other letters."""
    subject = "¡Hola {{ first_name }}! " + "muy largo " * 20
    with tenant_context(acme):
        mailing = MailingFactory(
            subject=subject.strip(), html="<p>{{ first_name }}\r\n.\n</p>" + "ñ" * 200,
            text="Señor {{ first_name }}\n.\nfin", sender_name="Año, Nuevo", reply_to="a@b.test",
        )  # fmt: skip
        values = {"first_name": "José\r\nBcc: x@y.test"}
        contact = Addressee("jose@españa.example", False, True, values)
        raw = Writer(mailing).write(mailing.pk, contact, now=now)

    assert raw.count(b"\n") == raw.count(b"\r\n") == raw.count(b"\r")
    assert max(map(len, raw.split(b"\r\n"))) <= 998
    read: Any = message_from_bytes(raw, policy=default)
    assert read["Subject"] == f"¡Hola José Bcc: x@y.test! {'muy largo ' * 20}".strip()
    assert read["Bcc"] is None
    assert read["To"] == "jose@xn--espaa-rta.example"
    assert read["From"].addresses[0].display_name == "Año, Nuevo"
    html, text = read.get_body(("html",)), read.get_body(("plain",))
    assert html.get_content().endswith("</p>" + "ñ" * 200)
    assert text.get_content() == "Señor José\r\nBcc: x@y.test\r\n.\r\nfin"
