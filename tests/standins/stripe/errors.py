"""Refusals in Stripe's shape."""

from typing import Any


class StripeError(Exception):
    """Becomes `{"error": {...}}` with `status`."""

    def __init__(
        self,
        message: str,
        *,
        status: int = 400,
        kind: str = "invalid_request_error",
        **facts: Any,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.keeps_work = False  # set for a decline that leaves a failed charge behind
        self.error: dict[str, Any] = {"message": message, "type": kind, **facts}

    @property
    def is_final(self) -> bool:
        """Whether an idempotency key keeps this answer: Stripe keeps what came of real work."""
        return bool(self.error["type"] == "card_error")


def no_such(what: str, ident: str, *, param: str = "id") -> StripeError:
    return StripeError(
        f"No such {what}: '{ident}'", status=404, code="resource_missing", param=param
    )


def dangling(what: str, ident: str, *, param: str) -> StripeError:
    """A parameter names something that is not there: 400, where an address would be 404."""
    return StripeError(f"No such {what}: '{ident}'", code="resource_missing", param=param)


def missing(param: str) -> StripeError:
    return StripeError(f"Missing required param: {param}.", code="parameter_missing", param=param)


def invalid(message: str, *, param: str | None = None, code: str | None = None) -> StripeError:
    facts: dict[str, Any] = {"param": param, "code": code}
    return StripeError(message, **{name: value for name, value in facts.items() if value})


def unknown(param: str) -> StripeError:
    return StripeError(
        f"Received unknown parameter: {param} (or one that this stand-in does not model).",
        code="parameter_unknown",
        param=param,
    )
