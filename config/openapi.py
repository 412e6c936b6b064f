"""The OpenAPI document: operation names, the problem shape, and reference tables made from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema
from drf_spectacular.utils import OpenApiParameter

from config.errors import all_errors

_PROBLEM = {
    "type": "object",
    "required": ["type", "title", "status", "detail", "code"],
    "properties": {
        "type": {"type": "string"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "code": {"type": "string"},
        "request_id": {"type": "string"},
        "errors": {"type": "object", "additionalProperties": True},
    },
    "additionalProperties": True,
}


_INTRODUCTION = """Sign in with `POST /api/v1/auth/token`, or send an API key (`Authorization: Api-Key …`).

Errors are `application/problem+json` with a stable `code`. Plans, meters and all error codes are listed
at [/reference](/reference)."""
_VERBS = {
    "list": "List",
    "retrieve": "Show",
    "create": "Create",
    "update": "Replace",
    "partial_update": "Change",
    "destroy": "Delete",
}
_IDEMPOTENCY_KEY = OpenApiParameter(
    "Idempotency-Key",
    str,
    OpenApiParameter.HEADER,
    description="The same key and body are worked on once and answer the same bytes, for 24 hours.",
)
_READ_FROM = OpenApiParameter(
    "X-Read-From",
    str,
    OpenApiParameter.HEADER,
    enum=["replica"],
    description="The answer may come from a read replica, a few seconds behind, but never within a second"
    " of a write of yours. The answer's `X-Read-From` tells: `replica` or `primary`.",
)


class PlazaSchema(AutoSchema):
    """Group operations by the noun of their path, and name each in words."""

    def get_summary(self) -> str | None:
        action = getattr(self.view, "action", None) or ""
        noun = self.get_tags()[0].replace("-", " ")
        if action in _VERBS:
            return f"{_VERBS[action]} {noun}"
        # What is no list or row is an act: `POST /campaigns/{id}/pause` is "Campaigns: pause".
        words = [part for part in self.path.split("/") if part and "{" not in part][2:]
        return ": ".join(word.replace("-", " ") for word in words).capitalize()

    def get_override_parameters(self) -> list[Any]:
        return {"POST": [_IDEMPOTENCY_KEY], "GET": [_READ_FROM]}.get(self.method, [])

    def get_tags(self) -> list[str]:
        parts = [part for part in self.path.split("/") if part and part not in {"api", "v1"}]
        return [parts[0] if parts else "root"]


def describe_reference(result: dict[str, Any], **_: Any) -> dict[str, Any]:
    """Add the problem shape as every operation's default answer, and list the error codes."""
    result.setdefault("components", {}).setdefault("schemas", {})["Problem"] = _PROBLEM
    answer = {
        "description": "A refusal (RFC 9457)",
        "content": {
            "application/problem+json": {"schema": {"$ref": "#/components/schemas/Problem"}}
        },
    }
    for path in result.get("paths", {}).values():
        for operation in path.values():
            if isinstance(operation, dict) and "responses" in operation:
                operation["responses"].setdefault("default", answer)
    result["info"]["description"] = _INTRODUCTION
    result["info"]["x-error-codes"] = [
        {"code": error.code, "status": error.status, "title": str(error.title)}
        for error in all_errors()
    ]
    return result
