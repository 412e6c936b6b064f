"""The server: who may ask, which handler answers, what is remembered by idempotency key."""

import json
from pathlib import Path
from urllib.parse import parse_qsl

from werkzeug.exceptions import HTTPException, MethodNotAllowed, NotFound
from werkzeug.routing import Map
from werkzeug.wrappers import Request, Response

from tests.standins.answers import json_response
from tests.standins.deliveries import Letter
from tests.standins.idempotency import Idempotency, InProgress, OtherRequest
from tests.standins.server import Standin
from tests.standins.store import Json
from tests.standins.stripe import balances, modules, webhooks
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import StripeError, invalid
from tests.standins.stripe.objects import API_VERSION, random_text
from tests.standins.stripe.params import Params, nested
from tests.standins.stripe.rendering import rendered
from tests.standins.stripe.routes import Route

KEYS_KEPT_SECONDS = 24 * 3600  # "at least 24 hours", docs.stripe.com/api/idempotent_requests
_KEY_IN_USE = (
    "There is currently another in-progress request using this Idempotent Key (that probably "
    "means you submitted twice, and the other request is still going through): {}"
)
_KEY_USED_OTHERWISE = (
    "Keys for idempotent requests can only be used with the same parameters they were first used "
    "with. Try using a key other than '{}' if you meant to execute a different request."
)


class StripeStandin(Standin):
    """Stripe on loopback. `webhook_url` gets every event, signed with `webhook_secret`.

    `connect_to` (host:port) is where `webhook_url` is really served, for names that no resolver
    knows. Any key that begins with sk_test_ or rk_test_ may ask; live keys are refused.
    """

    name = "stripe"

    def __init__(
        self,
        *,
        home: Path | None = None,
        port: int = 0,
        validate: bool = False,
        retry_seconds: float = 1.0,
        webhook_url: str = "",
        webhook_secret: str = "",
        connect_to: str = "",
    ) -> None:
        super().__init__(home=home, port=port, validate=validate, retry_seconds=retry_seconds)
        self.webhook_url = webhook_url
        self.webhook_secret = webhook_secret
        self.connect_to = connect_to
        self.account = Account(
            store=self.store,
            clock=self.clock,
            agenda=self.agenda,
            deliveries=self.deliveries,
            url=lambda: self.url,
            check=self._checked,
        )
        self._idempotency = Idempotency(self.store, self.clock, kept_seconds=KEYS_KEPT_SECONDS)
        self._api = Map([route.rule for route in modules.routes()], strict_slashes=False)
        self._pages = Map([page.rule for page in modules.pages()])
        modules.promise(self.account)

    def furnish(self) -> None:
        if self.webhook_url:
            webhooks.register(self.account, url=self.webhook_url, secret=self.webhook_secret)

    def obey(self, order: str, asked: Json) -> Json:
        """cards {payment_method, decline}: how a saved card behaves from now on ("" pays).
        after_retries {status: canceled|past_due|unpaid}: what becomes of a subscription in the end.
        disputes {charge, status}: a bank takes a charge back, and decides.
        """
        if order == "after_retries":
            self.store.put("setting", "after_retries", {"status": asked["status"]})
        elif order == "cards":
            method = self.account.get("payment_method", asked["payment_method"])
            self.account.save(method | {"_decline": asked["decline"]})
        elif order == "disputes":
            return balances.dispute(self.account, charge_id=asked["charge"], status=asked["status"])
        else:
            raise KeyError(order)
        return asked

    def letter(self, delivery: Json) -> Letter | None:
        letter = webhooks.signed(self.account, delivery)
        if letter is None or letter.url != self.webhook_url:
            return letter
        return Letter(letter.url, letter.headers, letter.body, self.connect_to)

    def failure(self, status: int) -> Response:
        kind = "rate_limit_error" if status == 429 else "api_error"
        return json_response({"error": {"message": "An error occurred.", "type": kind}}, status)

    def respond(self, request: Request) -> Response:
        if not request.path.startswith("/v1/"):
            return self._page(request)
        facts = {"Request-Id": f"req_{random_text(14)}", "Stripe-Version": API_VERSION}
        try:
            response = self._answer_api(request, facts["Request-Id"])
        except StripeError as refusal:
            response = json_response({"error": refusal.error}, refusal.status)
        response.headers.update(facts)
        return response

    def _page(self, request: Request) -> Response:
        try:
            page, path = self._pages.bind_to_environ(request.environ).match()
        except HTTPException as refusal:
            return refusal.get_response(request.environ)
        with self.store.transaction():
            self.account.request = {"id": None, "idempotency_key": None}
            try:
                answer: Response = page.handler(self.account, request, **path)
            except StripeError as refusal:
                answer = Response(str(refusal), refusal.status, mimetype="text/plain")
            return answer

    def _answer_api(self, request: Request, request_id: str) -> Response:
        _authenticate(request)
        route, path = self._matched(request)
        params = Params(nested(_pairs(request)))
        key = request.headers.get("Idempotency-Key", "")
        description = f"{request.method} {request.path} {json.dumps(params.values, sort_keys=True)}"
        origin = {"id": request_id, "idempotency_key": key or None}
        if not key or request.method == "GET":
            return self._worked(route, params, path, origin)
        try:
            with self._idempotency.claim(key):
                return self._worked_once(route, params, path, origin, description)
        except InProgress:
            raise StripeError(
                _KEY_IN_USE.format(key),
                status=409,
                kind="idempotency_error",
                code="idempotency_key_in_use",
            ) from None
        except OtherRequest:
            raise StripeError(_KEY_USED_OTHERWISE.format(key), kind="idempotency_error") from None

    def _worked_once(
        self, route: Route, params: Params, path: dict[str, str], origin: Json, description: str
    ) -> Response:
        key = origin["idempotency_key"]
        earlier = self._idempotency.remembered(key, request=description)
        if earlier is not None:
            status, body = earlier
            headers = {"Idempotent-Replayed": "true", "Idempotency-Key": key}
            return Response(body, status, headers, mimetype="application/json")
        with self.store.transaction():
            response = self._worked(route, params, path, origin)
            self._idempotency.remember(
                key, request=description, status=response.status_code, body=response.get_data()
            )
        response.headers["Idempotency-Key"] = key
        return response

    def _worked(self, route: Route, params: Params, path: dict[str, str], origin: Json) -> Response:
        try:
            with self.store.transaction():
                self.account.request = origin
                return self._handled(route, params, path)
        except StripeError as refusal:
            if not refusal.is_final:
                raise
            return json_response({"error": refusal.error}, refusal.status)

    def _handled(self, route: Route, params: Params, path: dict[str, str]) -> Response:
        try:
            answer = route.answer(self.account, params, path)
        except StripeError as refusal:
            if not refusal.keeps_work:
                raise
            return json_response({"error": refusal.error}, refusal.status)
        shown = rendered(self.account, answer, params.texts("expand"))
        self.account.check(shown)
        return json_response(shown)

    def _checked(self, shown: Json) -> None:
        if not self.validate:
            return
        # Only in tests: the check reads the SDK's types, which takes most of a second to import.
        from tests.standins.shapes import check

        wrong = check(shown)
        if wrong:
            self.violations.extend(wrong)
            raise AssertionError("; ".join(wrong))

    def _matched(self, request: Request) -> tuple[Route, dict[str, str]]:
        try:
            route, path = self._api.bind_to_environ(request.environ).match()
        except (NotFound, MethodNotAllowed):
            raise StripeError(
                f"Unrecognized request URL ({request.method}: {request.path}). "
                "(Or one that this stand-in does not serve.)",
                status=404,
            ) from None
        return route, dict(path)


def _authenticate(request: Request) -> None:
    given = request.authorization
    key = ""
    if given is not None:
        key = (given.username if given.type == "basic" else given.token) or ""
    if not key:
        raise StripeError("You did not provide an API key.", status=401)
    if not key.startswith(("sk_test_", "rk_test_")):
        raise StripeError(f"Invalid API Key provided: {key[:8]}****", status=401)
    version = request.headers.get("Stripe-Version", API_VERSION)
    if version != API_VERSION:
        raise invalid(f"This stand-in speaks {API_VERSION} only, not {version}.")


def _pairs(request: Request) -> list[tuple[str, str]]:
    pairs = parse_qsl(request.query_string.decode(), keep_blank_values=True)
    return pairs + parse_qsl(request.get_data(as_text=True), keep_blank_values=True)
