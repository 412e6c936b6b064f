"""The server: tokens, operations, remembered answers, the buyer's pages."""

import json
import secrets
from pathlib import Path
from typing import Any

from werkzeug.exceptions import HTTPException, MethodNotAllowed
from werkzeug.routing import Map, Rule
from werkzeug.wrappers import Request, Response

from tests.standins.answers import json_response
from tests.standins.deliveries import Letter
from tests.standins.idempotency import Idempotency, InProgress, OtherRequest
from tests.standins.paypal import (
    amendments,
    catalogue,
    cycles,
    pages,
    payments,
    plans,
    revisions,
    subscriptions,
    tokens,
    turns,
    webhooks,
)
from tests.standins.paypal.certificates import Certificates
from tests.standins.paypal.errors import PayPalError, error_body, not_found
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.routes import Route
from tests.standins.server import Standin
from tests.standins.store import Json

KEYS_KEPT_SECONDS = 72 * 3600  # "The server stores keys for 72 hours."
_TOKEN_PATH = "/v1/oauth2/token"
_MODULES = (amendments, catalogue, payments, plans, revisions, subscriptions, turns, webhooks)


class PayPalStandin(Standin):
    """PayPal on loopback. `webhook_url` gets every event under the webhook id `webhook_id`.

    Without `client_id` any client with a secret may ask.
    """

    name = "paypal"

    def __init__(
        self,
        *,
        home: Path | None = None,
        port: int = 0,
        validate: bool = False,
        retry_seconds: float = 1.0,
        webhook_url: str = "",
        webhook_id: str = "",
        connect_to: str = "",
        client_id: str = "",
        client_secret: str = "",
    ) -> None:
        super().__init__(home=home, port=port, validate=validate, retry_seconds=retry_seconds)
        self.webhook_url = webhook_url
        self.webhook_id = webhook_id
        self.connect_to = connect_to
        self._tokens = tokens.Tokens(self.store, client_id=client_id, client_secret=client_secret)
        self.certificates = Certificates(self.store)
        self.merchant = Merchant(
            store=self.store,
            clock=self.clock,
            agenda=self.agenda,
            deliveries=self.deliveries,
            url=lambda: self.url,
            check=self._check_object,
        )
        self._idempotency = Idempotency(self.store, self.clock, kept_seconds=KEYS_KEPT_SECONDS)
        rules = [route.rule for module in _MODULES for route in module.routes.known]
        self._api = Map(rules, strict_slashes=False)
        self._pages = Map(
            [
                *(one.rule for one in pages.PAGES),
                Rule(f"{webhooks.CERTIFICATES}/<ident>", methods=["GET"], endpoint="certificate"),
                Rule("/ca.pem", methods=["GET"], endpoint="authority"),
            ]
        )
        cycles.promise(self.merchant)

    def furnish(self) -> None:
        if self.webhook_url:
            webhooks.register(self.merchant, url=self.webhook_url, ident=self.webhook_id)

    def obey(self, order: str, asked: Json) -> Json:
        """funds {subscription, funds: ok|declined}: the buyer's next payments. balances
        {may_raise}: let PATCH raise an outstanding balance, which PayPal does not.
        certificates/rotate: sign with a new one.
        """
        if order == "certificates/rotate":
            self.certificates.rotate()
            return {}
        if order == "balances":
            self.store.delete("setting", "may_raise_balance")
            if asked["may_raise"]:
                self.store.put("setting", "may_raise_balance", {})
            return asked
        if order != "funds":
            raise KeyError(order)
        subscription = self.merchant.get("subscription", asked["subscription"])
        self.merchant.save("subscription", subscription | {"_funds": asked["funds"]})
        return asked

    def letter(self, delivery: Json) -> Letter | None:
        letter = webhooks.signed(self.merchant, self.certificates, delivery)
        if letter is None or letter.url != self.webhook_url:
            return letter
        return Letter(letter.url, letter.headers, letter.body, self.connect_to)

    def failure(self, status: int) -> Response:
        return json_response(error_body(status), status)

    def respond(self, request: Request) -> Response:
        if request.path == tokens.PATH:
            return self._tokens.issue(request)
        page = self._page(request)
        if page is not None:
            return page
        debug_id = secrets.token_hex(7)
        try:
            response = self._operate(request)
        except PayPalError as refusal:
            response = json_response(refusal.body, refusal.status)
        response.headers["PayPal-Debug-Id"] = debug_id
        return response

    def _page(self, request: Request) -> Response | None:
        """A page or a certificate; None when the address is another's."""
        try:
            endpoint, path = self._pages.bind_to_environ(request.environ).match()
        except HTTPException:
            return None
        if endpoint == "authority":
            return Response(self.certificates.authority, mimetype="application/x-pem-file")
        if endpoint == "certificate":
            pem = self.certificates.readable(path["ident"])
            return Response(pem or "", 200 if pem else 404, mimetype="application/x-pem-file")
        with self.store.transaction():
            answer: Response = endpoint.handler(self.merchant, request)
            return answer

    def _operate(self, request: Request) -> Response:
        self._tokens.check(request)
        try:
            route, path = self._api.bind_to_environ(request.environ).match()
        except MethodNotAllowed:
            return json_response({"name": "METHOD_NOT_SUPPORTED"}, 405)
        except HTTPException:
            raise not_found() from None
        call = Call(
            body=_body(request),
            query=request.args.to_dict(),
            wants_whole="return=representation" in request.headers.get("Prefer", ""),
        )
        self._check_request(route, call)
        key = request.headers.get("PayPal-Request-Id", "")
        if not key or request.method != "POST":
            return _respond(self._worked(route, call, path))
        try:
            with self._idempotency.claim(key):
                return self._worked_once(route, call, path, key, request)
        except InProgress:
            raise PayPalError(
                409, "PREVIOUS_REQUEST_IN_PROGRESS", "A previous request is in progress."
            ) from None
        except OtherRequest:
            raise PayPalError(
                422, "PAYPAL_REQUEST_ID_ALREADY_USED", "This request id was used otherwise before."
            ) from None

    def _worked_once(
        self, route: Route, call: Call, path: Any, key: str, request: Request
    ) -> Response:
        description = f"{request.path} {json.dumps(call.body, sort_keys=True)}"
        with self.store.transaction():
            earlier = self._idempotency.remembered(key, request=description)
            if earlier is not None:
                return Response(earlier[1], earlier[0], mimetype="application/json")
            response = _respond(self._worked(route, call, path))
            self._idempotency.remember(
                key, request=description, status=response.status_code, body=response.get_data()
            )
            return response

    def _worked(self, route: Route, call: Call, path: Any) -> Answer:
        with self.store.transaction():
            answer = route.handler(self.merchant, call, **path)
        if self.validate:
            from tests.standins import openapi

            self._blame(
                openapi.check_answer(
                    route.description, route.method, route.path, answer.status, answer.body
                )
            )
        return answer

    def _check_request(self, route: Route, call: Call) -> None:
        """A body that PayPal's description does not take is the client's mistake: 400."""
        if not self.validate or call.body is None:
            return
        # Only in tests: what it needs is not installed where `make up` alone is wanted.
        from tests.standins import openapi

        wrong = openapi.check_request(route.description, route.method, route.path, call.body)
        if wrong:
            raise PayPalError(400, "INVALID_PARAMETER_SYNTAX", "; ".join(wrong))

    def _check_object(self, description: str, kind: str, body: Json) -> None:
        if self.validate:
            from tests.standins import openapi

            self._blame(openapi.check_object(description, kind, body))
            if body.get("resource_type") in ("plan", "subscription"):
                self._blame(
                    openapi.check_object(
                        "billing_subscriptions_v1", body["resource_type"], body["resource"]
                    )
                )

    def _blame(self, wrong: list[str]) -> None:
        if wrong:
            self.violations.extend(wrong)
            raise AssertionError("; ".join(wrong))


def _body(request: Request) -> Any:
    raw = request.get_data()
    if not raw or raw == b"null":  # paypalrestsdk sends null with a GET
        return None
    try:
        return json.loads(raw)
    except ValueError:
        raise PayPalError(
            400, "MALFORMED_REQUEST_JSON", "The request JSON is not well formed."
        ) from None


def _respond(answer: Answer) -> Response:
    if answer.body is None:
        return Response(status=answer.status)
    return json_response(answer.body, answer.status)
