"""What our commands print: lines for people, one JSON document with `--json`."""

import json
import sys
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser


class JsonCommand(BaseCommand):
    """A command with `--json`. Subclasses call `report(text, **facts)` once for each thing that they did.

    With `--json` a CommandError is a document too, `{"error": ...}` and what was done until then as
    `results`; the exit code stays the error's.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._as_json = bool(options.get("json"))
        self._reports: list[dict[str, Any]] = []
        try:
            answer = super().execute(*args, **options)
        except CommandError as error:
            # Whoever calls it from Python gets the exception.
            by_hand = getattr(self, "_called_from_command_line", False)
            if not (self._as_json and by_hand):
                raise
            done = {"results": self._reports} if self._reports else {}
            self._write({"error": str(error)} | done)
            sys.exit(error.returncode)
        if self._as_json:
            self._write({"results": self._reports})
        return answer

    def report(self, text: str, **facts: Any) -> None:
        if self._as_json:
            self._reports.append(facts or {"message": text})
        else:
            self.stdout.write(text)

    def _write(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document, default=str))
