"""How Stripe is asked: its errors in our words, its objects as plain data, its pages as one list."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import stripe

from billing.providers.base import ProviderDown, ProviderRefused
from billing.providers.metrics import count_error
from config.logs import logger

log = logger(__name__)
PROVIDER = "stripe"
PAGE = 100
NOT_FOUND = "resource_missing"


@contextmanager
def translated() -> Iterator[None]:
    """The SDK's errors in our words; the bodies that they carry stay out of logs and answers."""
    try:
        yield
    except (stripe.APIConnectionError, stripe.RateLimitError, stripe.APIError) as error:
        log.warning("provider.unavailable", extra=_facts(error))
        count_error(PROVIDER, "down")
        raise ProviderDown(provider=PROVIDER) from None
    except stripe.CardError as error:
        # An ordinary answer: the bank said no.
        log.info("provider.declined", extra=_facts(error))
        body: Any = error.json_body or {}
        reason = body.get("error", {}).get("decline_code") or error.code or "card_declined"
        raise ProviderRefused(provider=PROVIDER, reason=reason) from None
    except stripe.StripeError as error:
        log.error("provider.refused", extra=_facts(error))  # noqa: TRY400 - the body stays out
        count_error(PROVIDER, "refused")
        reason = error.code or type(error).__name__
        raise ProviderRefused(provider=PROVIDER, reason=reason) from None


def _facts(error: stripe.StripeError) -> dict[str, Any]:
    return {
        "provider": PROVIDER,
        "error": type(error).__name__,
        "reason": error.code,
        "http_status": error.http_status,
        "provider_request_id": error.request_id,
    }


def plain(found: stripe.StripeObject) -> dict[str, Any]:
    return found.to_dict()


def every(ask: Callable[[Any], Any], asked: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """All objects of a list, page by page, newest first."""
    after: dict[str, Any] = {}
    while True:
        with translated():
            page = plain(ask({**asked, **after, "limit": PAGE}))
        yield from page["data"]
        if not page["has_more"]:
            return
        after = {"starting_after": page["data"][-1]["id"]}


def moment(seconds: int) -> datetime:
    return datetime.fromtimestamp(seconds, UTC)
