"""Random requests: a right shape as the OpenAPI document gives it, and in it whatever is another tenant's."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from django.conf import settings
from django.core.files.uploadedfile import SimpleUploadedFile
from drf_spectacular.generators import SchemaGenerator

from config.checks import routes
from tests.test_isolation import spelled

METHODS = ("GET", "GET", "GET", "POST", "PUT", "PATCH", "DELETE", "HEAD", "OPTIONS")
_ODD = (
    "", "null", "' OR 1=1 --", "'; RESET ROLE; --", "../../etc/passwd", "%00", "\u202e", "*", "0", "-1",
    "1e309", "true", "[]", "{{name}}", "${7*7}", "<script>", "a" * 300, "2026-11-21", "2026-11-21T00:00:00Z",
)  # fmt: skip


@dataclass(slots=True)
class Spoils:
    """What an attacker could have got hold of: the other tenant's ids, names and credentials; and its own."""

    ids: list[str]
    words: list[str]
    cursors: list[str]
    own_ids: list[str] = field(default_factory=list)


@dataclass(slots=True)
class Question:
    """A request before it has a sender."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    content_type: str

    def __str__(self) -> str:
        return f"{self.method} {self.path} {self.query} {str(self.body)[:120]}"


class Asker:
    """Makes questions about every address of one URL configuration."""

    def __init__(self, urlconf: str, dice: random.Random, spoils: Spoils) -> None:
        self.dice = dice
        self.spoils = spoils
        self.addresses = [spelled(path) for path, _ in routes(urlconf) if "static/" not in path]
        document = SchemaGenerator(urlconf=urlconf).get_schema(public=True)
        self.operations: dict[str, Any] = document["paths"]
        self.schemas: dict[str, Any] = document.get("components", {}).get("schemas", {})

    def ask(self, turn: int) -> Question:
        """Every address in turn, so that none is left out; the rest is chance."""
        address, names = self.addresses[turn % len(self.addresses)]
        operation = self._operation(address, names)
        known = [method.upper() for method in operation]
        method = self.dice.choice(known if known and self.dice.random() < 0.8 else METHODS)
        meant = operation.get(method.lower(), {})
        filled = {name: self._in_path(name) for name in names}
        path = address.format(**filled) if names else address
        body, content_type = self._body(method, meant)
        return Question(method, path or "/", self._query(meant), body, content_type)

    def _operation(self, address: str, names: list[str]) -> dict[str, Any]:
        for path, found in self.operations.items():
            if path.count("{") == len(names) and _without_names(path) == _without_names(address):
                return {verb: meant for verb, meant in found.items() if verb != "parameters"}
        return {}

    def _in_path(self, name: str) -> str:
        pool: list[str] = self.dice.choice(
            [
                self.spoils.ids,
                self.spoils.ids,
                self.spoils.own_ids,
                self.spoils.words,
                ["not_found"],
            ]
        )
        return self.dice.choice(pool or self.spoils.ids)

    def _query(self, meant: dict[str, Any]) -> dict[str, str]:
        if self.dice.random() < 0.4:
            return {}
        declared = [each["name"] for each in meant.get("parameters", ()) if each["in"] == "query"]
        names = [*declared, "cursor", "id", "tenant", "tenant_id", "next", "fields", "expand"]
        chosen = self.dice.sample(names, k=min(len(names), self.dice.randint(1, 2)))
        return {name: self._word("cursor" if name == "cursor" else name) for name in chosen}

    def _word(self, name: str = "") -> str:
        spoils = self.spoils
        if name == "cursor" and self.dice.random() < 0.8:
            return self.dice.choice(spoils.cursors)
        pools: list[Any] = [spoils.ids, spoils.words, spoils.own_ids or spoils.ids, _ODD]
        return str(self.dice.choice(self.dice.choice(pools)))

    def _body(self, method: str, meant: dict[str, Any]) -> tuple[Any, str]:
        if method not in {"POST", "PUT", "PATCH", "DELETE"}:
            return None, ""
        content: dict[str, Any] = meant.get("requestBody", {}).get("content", {})
        if self.dice.random() < 0.15 or "multipart/form-data" in content:
            return self._form(), "multipart"
        schema: dict[str, Any] = next((each["schema"] for each in content.values()), {})
        made = self._value(schema, depth=0)
        if not schema or self.dice.random() < 0.3:
            made = {**made} if isinstance(made, dict) else {}
            names = [
                "id",
                "tenant",
                "tenant_id",
                "company",
                "contact",
                "template",
                "refresh",
                "role",
            ]
            made |= {name: self._word(name) for name in self.dice.sample(names, k=2)}
        return json.dumps(made), "application/json"

    def _form(self) -> dict[str, Any]:
        rows = "email,first_name\n" + f"{self._word()[:40].strip()}@x.test,{self._word()[:40]}\n"
        upload = SimpleUploadedFile("people.csv", rows.encode(), "text/csv")
        return {"file": upload, "name": self._word(), "id": self._word(), "email": "a@x.test"}

    def _value(self, schema: dict[str, Any], *, depth: int) -> Any:
        """An instance of the schema, mostly; ids are the other tenant's."""
        if "$ref" in schema:
            return self._value(self.schemas[schema["$ref"].rpartition("/")[2]], depth=depth)
        for several in ("oneOf", "anyOf", "allOf"):
            if several in schema:
                return self._value(self.dice.choice(schema[several]), depth=depth)
        if "enum" in schema:
            return self.dice.choice(schema["enum"])
        kind = schema.get("type")
        kind = self.dice.choice(kind) if isinstance(kind, list) else kind
        made: Callable[[dict[str, Any], int], Any] = {
            "object": self._object, "array": self._array, "integer": self._integer,
            "number": self._integer, "boolean": lambda *_: self.dice.random() < 0.5,
            "null": lambda *_: None,
        }.get(kind or "", self._string)  # fmt: skip
        return made(schema, depth)

    def _object(self, schema: dict[str, Any], depth: int) -> Any:
        required = schema.get("required", ())
        return {
            name: self._value(inner, depth=depth + 1)
            for name, inner in schema.get("properties", {}).items()
            if name in required or self.dice.random() < 0.6 - depth / 10
        }

    def _array(self, schema: dict[str, Any], depth: int) -> Any:
        items = schema.get("items", {})
        return [self._value(items, depth=depth + 1) for _ in range(self.dice.randint(0, 2))]

    def _integer(self, schema: dict[str, Any], depth: int) -> Any:
        return self.dice.randint(int(schema.get("minimum", 0)), int(schema.get("maximum", 1_000)))

    def _string(self, schema: dict[str, Any], depth: int) -> str:
        number = self.dice.randrange(10**9)
        by_format = {
            "uuid": self.dice.choice(self.spoils.ids),
            "email": f"x{number}@drill.test",
            "date-time": f"20{26 + number % 4}-01-0{1 + number % 9}T10:00:00Z",
            "date": "2026-01-31",
        }
        word = f"word {number}" if self.dice.random() < 0.6 else self._word()
        return by_format.get(schema.get("format", ""), word[: schema.get("maxLength", 300)])


def _without_names(path: str) -> list[str]:
    return ["{}" if part.startswith("{") else part for part in path.split("/")]


def askers(dice: random.Random, spoils: Spoils) -> dict[str, Asker]:
    """One for the stalls' addresses, one for the square's."""
    return {
        "stall": Asker(settings.ROOT_URLCONF, dice, spoils),
        "square": Asker(settings.PUBLIC_SCHEMA_URLCONF, dice, spoils),
    }
