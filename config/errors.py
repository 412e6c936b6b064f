"""Every refusal that a client may meet is a DomainError: a stable code, a status, a title, and facts as data."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, ClassVar

from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

_BY_CODE: dict[str, type["DomainError"]] = {}


class DomainError(Exception):
    """An expected refusal. Facts given by keyword stand in the answer beside the code.

    Subclasses set `code` (stable, unique), `status` (HTTP) and `title` (one sentence). The fact
    `detail`, if given, replaces the title as the problem's detail.
    """

    code: ClassVar[str] = ""
    status: ClassVar[int] = 409
    title: ClassVar[str | Promise] = ""
    headers: Mapping[str, str] = {}
    # A template that lists the classes would otherwise make an instance of each.
    do_not_call_in_templates: ClassVar[bool] = True

    def __init__(self, **facts: Any) -> None:
        self.facts = facts
        super().__init__(f"{self.code}: {facts}")

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        if "code" not in cls.__dict__:
            return
        known = _BY_CODE.setdefault(cls.code, cls)
        if known.__qualname__ != cls.__qualname__ or known.__module__ != cls.__module__:
            raise TypeError(f"Error code {cls.code!r} is taken by {known.__qualname__}.")

    @property
    def detail(self) -> str:
        return str(self.facts.get("detail") or self.title)


def all_errors() -> list[type[DomainError]]:
    """Every known refusal, in order of its code; the docs are made from it."""
    return [_BY_CODE[code] for code in sorted(_BY_CODE)]


class ValidationFailed(DomainError):
    """The input breaks a rule of its fields: `errors` maps field to messages, like `{"email": ["…"]}`."""

    code = "validation_failed"
    status = 400
    title = _("The input is not valid.")

    def __init__(self, *, errors: Mapping[str, Sequence[str] | object], **facts: Any) -> None:
        super().__init__(errors=errors, **facts)


class ParseFailed(DomainError):
    """The body is not what its content type says."""

    code = "parse_failed"
    status = 400
    title = _("The body could not be parsed.")


class BadHost(DomainError):
    """The Host header is not a host name."""

    code = "bad_host"
    status = 400
    title = _("The Host header is malformed.")


class NotFound(DomainError):
    """There is no such thing here, or the caller may not know of it."""

    code = "not_found"
    status = 404
    title = _("Not found.")


class UnknownHost(DomainError):
    """No tenant answers at this host."""

    code = "unknown_host"
    status = 404
    title = _("Nothing is served at this host.")


class PermissionDenied(DomainError):
    """The caller is known, and may not do this."""

    code = "permission_denied"
    status = 403
    title = _("You may not do this.")


class FormExpired(DomainError):
    """A page's form came without the token that was given out with it: too old, or not ours."""

    code = "form_expired"
    status = 403
    title = _("This form has expired. Go back, load the page again and send it once more.")


class MethodNotAllowed(DomainError):
    """The address exists, not for this method."""

    code = "method_not_allowed"
    status = 405
    title = _("The method is not allowed here.")


class NotAcceptable(DomainError):
    """The API answers JSON."""

    code = "not_acceptable"
    status = 406
    title = _("No acceptable representation.")


class PayloadTooLarge(DomainError):
    """The body is larger than this address takes. `limit_bytes` says how large it may be."""

    code = "payload_too_large"
    status = 413
    title = _("The body is too large.")


class UnsupportedMediaType(DomainError):
    """The content type is not one that this address reads."""

    code = "unsupported_media_type"
    status = 415
    title = _("The content type is not supported.")


class IdempotencyKeyReused(DomainError):
    """The same Idempotency-Key came with another request."""

    code = "idempotency_key_reused"
    status = 422
    title = _("This idempotency key was used for another request.")


class IdempotencyKeyBusy(DomainError):
    """A request with the same Idempotency-Key is being worked on."""

    code = "idempotency_key_busy"
    status = 409
    title = _("A request with this idempotency key is still running.")


class InternalError(DomainError):
    """A fault of ours. It is logged under the answer's request id."""

    code = "internal_error"
    status = 500
    title = _("Something went wrong on our side.")


class ServiceUnavailable(DomainError):
    """A server that this answer needs is away; try again after `Retry-After`."""

    code = "service_unavailable"
    status = 503
    title = _("The service is not available at the moment.")
    headers: Mapping[str, str] = {"Retry-After": "5"}


class RateLimited(DomainError):
    """Too many requests in too short a time; `retry_after_seconds` says when the next one passes.

    `rule` names the rate that refused, of `limit` requests in `window_seconds`.
    """

    code = "rate_limited"
    status = 429
    title = _("Too many requests.")

    def __init__(
        self, *, retry_after_seconds: float, rule: str, limit: int, window_seconds: int
    ) -> None:
        seconds = max(1, math.ceil(retry_after_seconds))
        super().__init__(
            retry_after_seconds=seconds, rule=rule, limit=limit, window_seconds=window_seconds
        )
        self.headers = {"Retry-After": str(seconds)}
