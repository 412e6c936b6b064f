"""Access tokens by client id and secret."""

import secrets
import time

from werkzeug.wrappers import Request, Response

from tests.standins.answers import json_response
from tests.standins.paypal.errors import PayPalError
from tests.standins.store import Store

PATH = "/v1/oauth2/token"
SECONDS = 32_400
KEPT = 500


class Tokens:
    """Without a client id any client with a secret gets one."""

    def __init__(self, store: Store, *, client_id: str, client_secret: str) -> None:
        self.store = store
        self._client = (client_id, client_secret)

    def issue(self, request: Request) -> Response:
        given = request.authorization
        pair = ("", "") if given is None else (given.username or "", given.password or "")
        is_known = pair == self._client if self._client[0] else all(pair)
        if not is_known or request.form.get("grant_type") != "client_credentials":
            body = {"error": "invalid_client", "error_description": "Client Authentication failed"}
            return json_response(body, 401)
        token = f"A21AA{secrets.token_urlsafe(60)}"
        with self.store.transaction():
            self.store.put("token", token, {"ends_at": time.time() + SECONDS})
            self.store.trim("token", keep=KEPT)
        return json_response(
            {
                "scope": "https://uri.paypal.com/services/subscriptions",
                "access_token": token,
                "token_type": "Bearer",
                "app_id": "APP-80W284485P519543T",
                "expires_in": SECONDS,
                "nonce": secrets.token_urlsafe(16),
            }
        )

    def check(self, request: Request) -> None:
        """401 without a token of ours that still holds."""
        given = request.authorization
        token = given.token if given is not None and given.type == "bearer" else None
        kept = self.store.get("token", token or "")
        if kept is None or kept["ends_at"] < time.time():
            raise PayPalError(
                401, "INVALID_ACCOUNT_STATUS", "Account validations failed for the user."
            )
