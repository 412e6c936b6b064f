"""What was mailed and texted, as JSON and as a page; SMS are taken in Twilio's manner."""

import re
from datetime import UTC, datetime
from html import escape
from pathlib import Path
from typing import Any
from uuid import uuid4

from werkzeug.exceptions import HTTPException
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.standins.answers import json_response
from tests.standins.deliveries import Letter
from tests.standins.mail import letters
from tests.standins.mail.smtp import SmtpServer
from tests.standins.pages import form, page, see_other, table
from tests.standins.server import LOOPBACK, Standin
from tests.standins.store import Json

NOTE = "Plaza's stand-in for the mail and SMS carriers: nothing leaves this machine."
KEPT = 1_000
_E164 = re.compile(r"^\+[1-9]\d{6,14}$")
# In escaped text, where a link ends at a space, a bracket or a quotation mark.
_LINK = re.compile(r"https?://(?:(?!&lt;|&gt;|&quot;|&#x27;)\S)+")
_TWILIO_DATE = "%a, %d %b %Y %H:%M:%S +0000"


class TwilioError(Exception):
    """A refusal with Twilio's own code (twilio.com/docs/api/errors)."""

    def __init__(self, status: int, code: int, message: str) -> None:
        super().__init__(message)
        self.status = status
        self.code = code


class MailStandin(Standin):
    """SMTP on `smtp_port`, everything else on `port`. Any Twilio credentials are taken."""

    name = "mail"

    def __init__(
        self,
        *,
        home: Path | None = None,
        port: int = 0,
        smtp_port: int = 0,
        validate: bool = False,
    ) -> None:
        super().__init__(home=home, port=port, validate=validate)
        self._smtp = SmtpServer(
            host=LOOPBACK, port=smtp_port, keep=self._keep_mail, faults=self.faults
        )
        twilio = "/2010-04-01/Accounts/<account>/Messages"
        rules = [
            Rule("/", methods=["GET"], endpoint=self._inbox),
            Rule("/mail/<ident>", methods=["GET"], endpoint=self._mail_page),
            Rule("/clear", methods=["POST"], endpoint=self._clear_page),
            Rule("/messages", methods=["GET"], endpoint=self._messages),
            Rule("/messages", methods=["DELETE"], endpoint=self._clear),
            Rule("/messages/<ident>", methods=["GET"], endpoint=self._message),
            Rule("/messages/<ident>/raw", methods=["GET"], endpoint=self._raw),
            Rule("/sms", methods=["GET"], endpoint=self._texts),
            Rule("/sms", methods=["DELETE"], endpoint=self._clear_texts),
            Rule(f"{twilio}.json", methods=["POST"], endpoint=self._send_text),
            Rule(f"{twilio}/<sid>.json", methods=["GET"], endpoint=self._one_text),
        ]
        self._map = Map(rules)

    @property
    def smtp_port(self) -> int:
        return self._smtp.port

    def start(self) -> "MailStandin":
        self._smtp.start()
        super().start()
        return self

    def stop(self) -> None:
        self._smtp.stop()
        super().stop()

    def letter(self, delivery: Json) -> Letter | None:
        """This stand-in sends no webhooks."""
        return None

    def failure(self, status: int) -> Response:
        return json_response({"code": 20500, "message": "Internal error", "status": status}, status)

    def respond(self, request: Request) -> Response:
        try:
            endpoint, path = self._map.bind_to_environ(request.environ).match()
            answer: Response = endpoint(request, **path)
        except TwilioError as refusal:
            body = {"code": refusal.code, "message": str(refusal), "status": refusal.status}
            return json_response(
                body | {"more_info": f"https://www.twilio.com/docs/errors/{refusal.code}"},
                refusal.status,
            )
        except HTTPException as refusal:
            return refusal.get_response(request.environ)
        return answer

    def _keep_mail(self, sender: str, recipients: list[str], raw: bytes) -> None:
        ident = uuid4().hex
        mail = {
            "id": ident,
            "from": sender,
            "to": recipients,
            "received_at": datetime.now(UTC).isoformat(),
            **letters.read(raw),
            "_raw": raw.decode("latin-1"),
        }
        with self.store.transaction():
            self.store.put("mail", ident, mail)
            self.store.trim("mail", keep=KEPT)

    def _messages(self, request: Request) -> Response:
        """Newest first; `?to=` keeps those to one address."""
        wanted = request.args.get("to")
        found = self.store.find("mail", lambda mail: wanted is None or wanted in mail["to"])
        return json_response({"messages": [_shown(mail) for mail in found[::-1]]})

    def _message(self, _: Request, ident: str) -> Response:
        mail = self.store.get("mail", ident)
        if mail is None:
            return json_response({"error": "no such message"}, 404)
        return json_response(_shown(mail))

    def _raw(self, _: Request, ident: str) -> Response:
        mail = self.store.get("mail", ident) or {"_raw": ""}
        return Response(mail["_raw"].encode("latin-1"), mimetype="message/rfc822")

    def _clear(self, _: Request) -> Response:
        with self.store.transaction():
            self.store.trim("mail", keep=0)
        return Response(status=204)

    def _clear_texts(self, _: Request) -> Response:
        with self.store.transaction():
            self.store.trim("sms", keep=0)
        return Response(status=204)

    def _clear_page(self, request: Request) -> Response:
        self._clear(request)
        self._clear_texts(request)
        return see_other("/")

    def _send_text(self, request: Request, account: str) -> Response:
        """POST Messages.json with To, From or MessagingServiceSid, and Body."""
        if request.authorization is None or request.authorization.username != account:
            raise TwilioError(401, 20003, "Authenticate")
        to, body = request.form.get("To", ""), request.form.get("Body", "")
        sender = request.form.get("From") or request.form.get("MessagingServiceSid")
        if not _E164.match(to):
            raise TwilioError(400, 21211, f"Invalid 'To' Phone Number: {to}")
        if not sender:
            raise TwilioError(400, 21603, "A 'From' or 'MessagingServiceSid' is required.")
        if not body:
            raise TwilioError(400, 21602, "Message body is required.")
        text = self._text(account, to=to, sender=sender, body=body)
        with self.store.transaction():
            self.store.put("sms", text["sid"], text)
            self.store.trim("sms", keep=KEPT)
        return json_response(text, 201)

    def _text(self, account: str, *, to: str, sender: str, body: str) -> Json:
        sid = f"SM{uuid4().hex}"
        moment = datetime.now(UTC).strftime(_TWILIO_DATE)
        is_service = sender.startswith("MG")
        return {
            "account_sid": account,
            "api_version": "2010-04-01",
            "body": body,
            "date_created": moment,
            "date_sent": None,
            "date_updated": moment,
            "direction": "outbound-api",
            "error_code": None,
            "error_message": None,
            "from": None if is_service else sender,
            "messaging_service_sid": sender if is_service else None,
            "num_media": "0",
            "num_segments": str(max(1, -(-len(body) // 160))),
            "price": None,
            "price_unit": "USD",
            "sid": sid,
            "status": "queued",
            "subresource_uris": {
                "media": f"/2010-04-01/Accounts/{account}/Messages/{sid}/Media.json"
            },
            "to": to,
            "uri": f"/2010-04-01/Accounts/{account}/Messages/{sid}.json",
        }

    def _one_text(self, _: Request, account: str, sid: str) -> Response:
        text = self.store.get("sms", sid)
        if text is None or text["account_sid"] != account:
            raise TwilioError(404, 20404, f"The requested resource {sid} was not found")
        return json_response(text | {"status": "delivered", "date_sent": text["date_created"]})

    def _texts(self, _: Request) -> Response:
        return json_response({"messages": self.store.find("sms")[::-1]})

    def _inbox(self, _: Request) -> Response:
        mails = "".join(
            f"<tr><td>{escape(', '.join(mail['to']))}</td>"
            f'<td><a href="/mail/{mail["id"]}">{escape(mail["subject"] or "(no subject)")}</a></td>'
            "</tr>"
            for mail in self.store.find("mail")[::-1]
        )
        texts = table((text["to"], text["body"]) for text in self.store.find("sms")[::-1])
        body = f"<h2>Mail</h2><table>{mails}</table><h2>SMS</h2>{texts}"
        return page("Inbox", body + form("/clear", button="Empty", quiet=True), note=NOTE)

    def _mail_page(self, _: Request, ident: str) -> Response:
        mail = self.store.get("mail", ident)
        if mail is None:
            return page("There is no such mail", "", note=NOTE, status=404)
        rows = [("From", mail["from"]), ("To", ", ".join(mail["to"]))]
        text = mail["text"] or ""
        parts = [table(rows), f"<pre>{_with_links(text)}</pre>"]
        if mail["html"]:
            # In a frame without scripts or origin: a mail's HTML is not ours to trust.
            parts.append(
                '<iframe sandbox title="The mail as HTML" style="width:100%;height:24rem;border:0" '
                f'srcdoc="{escape(mail["html"])}"></iframe>'
            )
        return page(mail["subject"] or "(no subject)", "".join(parts), note=NOTE)


def _shown(mail: Json) -> dict[str, Any]:
    return {name: value for name, value in mail.items() if not name.startswith("_")}


def _with_links(text: str) -> str:
    """Escaped, with its http addresses made links, so that a person can follow an invitation."""
    return _LINK.sub(r'<a href="\g<0>">\g<0></a>', escape(text))
