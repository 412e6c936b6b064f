"""Refusals in PayPal's shape, `{name, message, details: [{issue, description}], debug_id}`."""

from secrets import token_hex
from typing import Any

# Name and message by status, word for word from the OpenAPI descriptions.
_NAMES = {
    400: (
        "INVALID_REQUEST",
        "Request is not well-formed, syntactically incorrect, or violates schema.",
    ),
    401: (
        "AUTHENTICATION_FAILURE",
        "Authentication failed due to missing authorization header, or invalid authentication "
        "credentials.",
    ),
    404: ("RESOURCE_NOT_FOUND", "The specified resource does not exist."),
    409: ("RESOURCE_CONFLICT", "The server has detected a conflict while processing this request."),
    422: (
        "UNPROCESSABLE_ENTITY",
        "The requested action could not be performed, semantically incorrect, or failed business "
        "validation.",
    ),
    500: ("INTERNAL_SERVER_ERROR", "An internal server error occurred."),
    503: ("SERVICE_UNAVAILABLE", "Service Unavailable."),
}


class PayPalError(Exception):
    """One refusal with one detail."""

    def __init__(self, status: int, issue: str, description: str, *, field: str = "") -> None:
        super().__init__(f"{issue}: {description}")
        self.status = status
        self.detail = {"issue": issue, "description": description}
        if field:
            self.detail |= {"field": field, "location": "body"}

    @property
    def body(self) -> dict[str, Any]:
        return error_body(self.status, [self.detail])


def error_body(status: int, details: list[dict[str, str]] | None = None) -> dict[str, Any]:
    name, message = _NAMES.get(status, _NAMES[500])
    body: dict[str, Any] = {"name": name, "message": message, "debug_id": token_hex(7)}
    if details:
        body["details"] = details
    link = f"https://developer.paypal.com/docs/api/errors#{name}"
    return body | {"links": [{"href": link, "rel": "information_link"}]}


def not_found() -> PayPalError:
    return PayPalError(404, "INVALID_RESOURCE_ID", "Requested resource ID was not found.")


def missing(field: str) -> PayPalError:
    return PayPalError(
        400, "MISSING_REQUIRED_PARAMETER", "A required field is missing.", field=field
    )


def invalid(field: str, description: str = "The value of a field is invalid.") -> PayPalError:
    return PayPalError(400, "INVALID_PARAMETER_VALUE", description, field=field)


def impossible(issue: str, description: str) -> PayPalError:
    return PayPalError(422, issue, description)
