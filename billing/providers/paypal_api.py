"""paypalrestsdk, made safe: time-outs, retries, an end to its loops, and nothing secret in the logs.

What is wrong with the SDK's own `Api` (1.13.3, deprecated upstream): no time-out; credentials logged
below `live`; a 401 answered by asking again without end; a 400 returned as if it were the answer; a
module-wide default account. So `request` and `http_call` are ours, and `api=` is always passed.
"""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import paypalrestsdk
import requests
from paypalrestsdk import exceptions
from paypalrestsdk.resource import Create, Find, Post
from requests.adapters import HTTPAdapter
from urllib3.util import Retry

from billing.providers.base import ProviderDown, ProviderRefused, is_loopback
from billing.providers.metrics import count_error
from config.logs import logger

log = logger(__name__)
LIVE = "https://api-m.paypal.com"
TIMEOUT_SECONDS = 10
# Safe for POST too: each carries a PayPal-Request-Id, under which PayPal answers once.
_RETRY = Retry(
    total=2,
    backoff_factor=0.3,
    status_forcelist=(500, 502, 503, 504),
    allowed_methods=None,
    redirect=0,
    raise_on_status=False,
)


class Account(paypalrestsdk.Api):  # type: ignore[misc]
    """One PayPal account at `endpoint`. Its calls raise ProviderDown or ProviderRefused."""

    def __init__(self, *, client_id: str, client_secret: str, endpoint: str) -> None:
        # "live" is the SDK's only mode that logs no headers and no bodies.
        super().__init__(
            mode="live",
            endpoint=endpoint or LIVE,
            client_id=client_id,
            client_secret=client_secret,
        )
        self._session = requests.Session()
        self._session.trust_env = not is_loopback(self.endpoint)
        for scheme in ("http://", "https://"):
            self._session.mount(scheme, HTTPAdapter(max_retries=_RETRY))

    def request(
        self,
        url: str,
        method: str,
        body: Any = None,
        headers: dict[str, str] | None = None,
        refresh_token: str | None = None,
    ) -> Any:
        """One call, and a second with a fresh token when the first was refused as unsigned."""
        with _translated():
            try:
                return self._send(url, method, body, headers)
            except exceptions.UnauthorizedAccess:
                self.token_hash = None
                return self._send(url, method, body, headers)

    def _send(self, url: str, method: str, body: Any, headers: dict[str, str] | None) -> Any:
        data = None if body is None else json.dumps(body)
        return self.http_call(url, method, data=data, headers=self.headers() | (headers or {}))

    def http_call(self, url: str, method: str, **options: Any) -> Any:
        response = self._session.request(
            method, url, timeout=TIMEOUT_SECONDS, allow_redirects=False, **options
        )
        return self.handle_response(response, response.content.decode("utf-8"))


class Product(Find, Create):  # type: ignore[misc]
    path = "v1/catalogs/products"


class BillingPlan(Create):  # type: ignore[misc]
    path = "v1/billing/plans"


class BillingSubscription(Find, Create, Post):  # type: ignore[misc]
    path = "v1/billing/subscriptions"


@contextmanager
def _translated() -> Iterator[None]:
    """The SDK's errors in our words; the bodies that they carry stay out of logs and answers."""
    try:
        yield
    except requests.RequestException as error:
        log.warning(
            "provider.unavailable", extra={"provider": "paypal", "error": type(error).__name__}
        )
        count_error("paypal", "down")
        raise ProviderDown(provider="paypal") from None
    except exceptions.ConnectionError as error:
        status = error.response.status_code
        facts = {"provider": "paypal", "http_status": status, "reason": _reason(error)}
        if status >= 500 or status == 429:
            log.warning("provider.unavailable", extra=facts)
            count_error("paypal", "down")
            raise ProviderDown(provider="paypal") from None
        # "There is none" is often the answer that was looked for.
        log.log(logging.INFO if status == 404 else logging.ERROR, "provider.refused", extra=facts)
        if status != 404:
            count_error("paypal", "refused")
        raise ProviderRefused(provider="paypal", reason=facts["reason"]) from None


def _reason(error: exceptions.ConnectionError) -> str:
    """PayPal's own code, like RESOURCE_NOT_FOUND; of what it cannot process, the issue that it names."""
    try:
        told = json.loads(error.content)
        if told["name"] == "UNPROCESSABLE_ENTITY" and told.get("details"):
            return str(told["details"][0]["issue"])
        return str(told["name"])
    except (TypeError, ValueError, KeyError):
        return type(error).__name__
