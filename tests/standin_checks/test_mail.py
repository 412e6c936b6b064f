"""The mail and SMS sink."""

import smtplib
from collections.abc import Iterator
from email.message import EmailMessage
from typing import Any

import pytest
import requests

from tests.standins.mail import MailStandin

ACCOUNT = "AC0123456789"


@pytest.fixture
def sink() -> Iterator[MailStandin]:
    with MailStandin() as running:
        yield running
        assert running.violations == []


def _mail(to: str, subject: str = "Bienvenida a Plaza, señora Núñez") -> EmailMessage:
    mail = EmailMessage()
    mail["From"], mail["To"], mail["Subject"] = "plaza@plaza.test", to, subject
    mail["List-Unsubscribe"] = "<https://acme.plaza.test/u/1>"
    mail.set_content("Entre aquí: http://acme.plaza.localhost:8000/join?a=1&b=2\n")
    mail.add_alternative("<p>Entre <script>alert(1)</script></p>", subtype="html")
    mail.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="factura.pdf")
    return mail


def _send(sink: MailStandin, *mails: EmailMessage) -> None:
    with smtplib.SMTP("127.0.0.1", sink.smtp_port, timeout=5) as client:
        for mail in mails:
            client.send_message(mail)


def _text(sink: MailStandin, **form: str) -> requests.Response:
    return requests.post(
        f"{sink.url}/2010-04-01/Accounts/{ACCOUNT}/Messages.json",
        data=form,
        auth=(ACCOUNT, "token"),
        timeout=5,
    )


def _messages(sink: MailStandin, query: str = "") -> list[Any]:
    found: list[Any] = requests.get(f"{sink.url}/messages{query}", timeout=5).json()["messages"]
    return found


def test_a_mail_is_shown_with_all_its_parts(sink: MailStandin) -> None:
    _send(sink, _mail("ana@acme.test"))

    (mail,) = _messages(sink)

    assert (mail["from"], mail["to"]) == ("plaza@plaza.test", ["ana@acme.test"])
    assert mail["subject"] == "Bienvenida a Plaza, señora Núñez"
    assert mail["text"] == "Entre aquí: http://acme.plaza.localhost:8000/join?a=1&b=2\n"
    assert mail["attachments"] == [{"name": "factura.pdf", "type": "application/pdf"}]
    assert ["List-Unsubscribe", "<https://acme.plaza.test/u/1>"] in mail["headers"]
    assert requests.get(f"{sink.url}/messages/{mail['id']}", timeout=5).json() == mail


def test_mails_are_newest_first_filtered_and_cleared(sink: MailStandin) -> None:
    _send(
        sink, _mail("ana@acme.test", "1"), _mail("bo@acme.test", "2"), _mail("ana@acme.test", "3")
    )

    everyone = [mail["subject"] for mail in _messages(sink)]
    to_ana = [mail["subject"] for mail in _messages(sink, "?to=ana@acme.test")]
    cleared = requests.delete(f"{sink.url}/messages", timeout=5).status_code

    assert (everyone, to_ana, cleared) == (["3", "2", "1"], ["3", "1"], 204)
    assert _messages(sink) == []


def test_a_person_reads_it_on_a_page_that_runs_nothing(sink: MailStandin) -> None:
    _send(sink, _mail("ana@acme.test"))
    (mail,) = _messages(sink)

    inbox = requests.get(sink.url, timeout=5).text
    page = requests.get(f"{sink.url}/mail/{mail['id']}", timeout=5).text

    assert mail["id"] in inbox
    assert '<a href="http://acme.plaza.localhost:8000/join?a=1&amp;b=2">' in page
    assert "<script" not in page
    assert "<iframe sandbox " in page


def test_a_carrier_that_refuses_for_a_while(sink: MailStandin) -> None:
    fault = {"kind": "error", "method": "SMTP", "status": 451}
    requests.post(f"{sink.url}/_standin/faults", json=fault, timeout=5)

    with pytest.raises(smtplib.SMTPDataError) as refusal:
        _send(sink, _mail("ana@acme.test"))
    _send(sink, _mail("ana@acme.test"))

    assert (refusal.value.smtp_code, len(_messages(sink))) == (451, 1)


def test_a_text_message_goes_the_way_of_twilio(sink: MailStandin) -> None:
    answer = _text(sink, To="+50688887777", From="+15005550006", Body="Su código: 123456")

    kept = requests.get(f"{sink.url}/sms", timeout=5).json()["messages"]
    later = requests.get(f"{sink.url}{answer.json()['uri']}", auth=(ACCOUNT, "t"), timeout=5)
    assert (answer.status_code, answer.json()["status"]) == (201, "queued")
    assert [(one["to"], one["body"]) for one in kept] == [("+50688887777", "Su código: 123456")]
    assert later.json()["status"] == "delivered"


@pytest.mark.parametrize(
    ("form", "code"),
    [
        ({"To": "8888", "From": "+15005550006", "Body": "x"}, 21211),
        ({"To": "+50688887777", "Body": "x"}, 21603),
        ({"To": "+50688887777", "From": "+15005550006"}, 21602),
    ],
)
def test_a_wrong_text_message_is_refused_with_twilios_code(
    sink: MailStandin, form: dict[str, str], code: int
) -> None:
    answer = _text(sink, **form)

    assert (answer.status_code, answer.json()["code"]) == (400, code)


def test_mails_survive_a_restart(tmp_path: Any) -> None:
    with MailStandin(home=tmp_path) as before:
        _send(before, _mail("ana@acme.test"))
    with MailStandin(home=tmp_path) as after:
        assert [mail["to"] for mail in _messages(after)] == [["ana@acme.test"]]
