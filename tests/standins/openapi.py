"""Whether requests and answers fit PayPal's own OpenAPI descriptions in `spec/paypal/`.

Two checks: the schema's (types, patterns, required keys) and that an answer has no key which the
description does not name, which PayPal's open schemas would let pass. Imported by tests only.
"""

import json
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

from openapi_schema_validator import OAS30Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT4

SPEC = Path(__file__).parent / "spec" / "paypal"


@cache
def description(name: str) -> dict[str, Any]:
    body: dict[str, Any] = json.loads((SPEC / f"{name}.json").read_text())
    return body


@cache
def _registry(name: str) -> Any:
    resource: Any = Resource.from_contents(description(name), default_specification=DRAFT4)
    return Registry().with_resource(name, resource)


def operation(name: str, method: str, path: str) -> dict[str, Any]:
    """Raises KeyError when the description has no such operation."""
    found: dict[str, Any] = description(name)["paths"][path][method.lower()]
    return found


def check_request(name: str, method: str, path: str, body: Any) -> list[str]:
    """What is wrong with a request's body; empty when it is right, or none is described."""
    content = operation(name, method, path).get("requestBody", {}).get("content", {})
    return _check(name, _schema(content), body, strict=False)


def check_answer(name: str, method: str, path: str, status: int, body: Any) -> list[str]:
    """What is wrong with an answer of this status."""
    answers = operation(name, method, path)["responses"]
    described = answers.get(str(status)) or answers.get("default")
    if described is None:
        return [f"{method} {path}: {status} is not described"]
    return _check(name, _schema(_followed(name, described).get("content", {})), body, strict=True)


def check_object(name: str, kind: str, body: Any) -> list[str]:
    """What is wrong with an object of the kind `components/schemas/<kind>`."""
    return _check(name, {"$ref": f"#/components/schemas/{kind}"}, body, strict=True)


def _schema(content: dict[str, Any]) -> dict[str, Any] | None:
    for described in content.values():
        schema: dict[str, Any] | None = described.get("schema")
        return schema
    return None


def _check(name: str, schema: dict[str, Any] | None, body: Any, *, strict: bool) -> list[str]:
    if schema is None:
        return [] if body is None or not strict else ["a body where none is described"]
    absolute = _absolute(name, schema)
    validator = OAS30Validator(absolute, registry=_registry(name))
    wrong = [f"{error.json_path}: {error.message}" for error in validator.iter_errors(body)]
    return wrong + (list(_unknown(name, schema, body, "$")) if strict else [])


def _absolute(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    if "$ref" in schema:
        return {"$ref": name + str(schema["$ref"])}
    return schema


def _followed(name: str, schema: dict[str, Any]) -> dict[str, Any]:
    while "$ref" in schema:
        found: Any = description(name)
        for step in str(schema["$ref"]).removeprefix("#/").split("/"):
            found = found[step.replace("~1", "/")]
        schema = found
    return schema


def _properties(name: str, schema: dict[str, Any]) -> tuple[dict[str, Any], bool]:
    """The named properties through every allOf and oneOf, and whether others may be there."""
    schema = _followed(name, schema)
    found = dict(schema.get("properties", {}))
    is_open = bool(schema.get("additionalProperties"))
    for part in [*schema.get("allOf", []), *schema.get("oneOf", []), *schema.get("anyOf", [])]:
        inner, inner_is_open = _properties(name, part)
        found |= inner
        is_open = is_open or inner_is_open
    return found, is_open


def _unknown(name: str, schema: dict[str, Any], body: Any, where: str) -> Iterator[str]:
    if isinstance(body, list):
        items = _followed(name, schema).get("items", {})
        for index, inner in enumerate(body):
            yield from _unknown(name, items, inner, f"{where}[{index}]")
    elif isinstance(body, dict):
        known, is_open = _properties(name, schema)
        for key, inner in body.items():
            if key in known:
                yield from _unknown(name, known[key], inner, f"{where}.{key}")
            elif not is_open and known:
                yield f"{where}.{key}: not described"
