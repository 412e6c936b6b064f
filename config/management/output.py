"""What our commands print: lines for people, one JSON document with `--json`."""

import json
from typing import Any

from django.core.management.base import BaseCommand, CommandParser


class JsonCommand(BaseCommand):
    """A command with `--json`. Subclasses call `report(text, **facts)` once for each thing that they did."""

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._as_json = bool(options.get("json"))
        self._reports: list[dict[str, Any]] = []
        answer = super().execute(*args, **options)
        if self._as_json:
            self.stdout.write(json.dumps({"results": self._reports}, default=str))
        return answer

    def report(self, text: str, **facts: Any) -> None:
        if self._as_json:
            self._reports.append(facts or {"message": text})
        else:
            self.stdout.write(text)
