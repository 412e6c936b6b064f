"""The OpenAPI document: operation names, the problem shape, and reference tables made from the code."""

from typing import Any

from drf_spectacular.openapi import AutoSchema

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


class PlazaSchema(AutoSchema):
    """Group operations by the noun of their path."""

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
    lines = [f"| `{error.code}` | {error.status} | {error.title} |" for error in all_errors()]
    result["info"]["description"] = "\n".join(
        [
            "Errors are problem+json with a stable `code`:",
            "",
            "| code | status | meaning |",
            "|---|---|---|",
            *lines,
        ]
    )
    return result
