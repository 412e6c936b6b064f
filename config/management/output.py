"""What our commands print: lines for people, one JSON document with `--json`; a refusal as a sentence."""

import json
import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django.core.management.base import BaseCommand, CommandError, CommandParser
from django.db import OperationalError
from django.utils.encoding import force_str

from config.errors import DomainError, ValidationFailed

# As a shell tells a program that Ctrl-C has ended.
_INTERRUPTED = 130


class Refused(CommandError):
    """A refusal in words, which `code` and `facts` tell a program too. `hint` is the way on, as a sentence."""

    def __init__(self, refusal: DomainError, *, hint: str = "") -> None:
        self.code = refusal.code
        self.facts = refusal.facts
        super().__init__(" ".join(part for part in (sentence(refusal), hint) if part))


class JsonCommand(BaseCommand):
    """A command with `--json`. Subclasses call `report(text, **facts)` once for each thing that they did.

    With `--json` a CommandError is a document too, `{"error": ...}` and what was done until then as
    `results`, for a refusal also `code` and `facts`; the exit code stays the error's.
    """

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--json", action="store_true", help="print one JSON document")

    def execute(self, *args: Any, **options: Any) -> str | None:
        self._as_json = bool(options.get("json"))
        self._reports: list[dict[str, Any]] = []
        try:
            answer = self._refusing(*args, **options)
        except CommandError as error:
            # Whoever calls it from Python gets the exception.
            by_hand = getattr(self, "_called_from_command_line", False)
            if not (self._as_json and by_hand):
                raise
            told = {
                name: getattr(error, name) for name in ("code", "facts") if hasattr(error, name)
            }
            done = {"results": self._reports} if self._reports else {}
            self._write({"error": str(error)} | told | done)
            sys.exit(error.returncode)
        if self._as_json:
            self._write({"results": self._reports})
        return answer

    def hint(self, refusal: DomainError, options: Mapping[str, Any]) -> str:
        """What somebody at this command may do about `refusal`, as a sentence; empty where nothing is known."""
        return ""

    def report(self, text: str, **facts: Any) -> None:
        if self._as_json:
            self._reports.append(facts or {"message": text})
        else:
            self.stdout.write(text)

    def _refusing(self, *args: Any, **options: Any) -> str | None:
        """What is expected to go wrong is told in a sentence; the rest flies on, with its traceback."""
        try:
            return super().execute(*args, **options)
        except DomainError as refusal:
            raise Refused(refusal, hint=self.hint(refusal, options)) from refusal
        except KeyboardInterrupt as interrupt:
            text = "Interrupted. What was begun goes on when the same is run again."
            raise CommandError(text, returncode=_INTERRUPTED) from interrupt
        except OperationalError as error:
            if getattr(error.__cause__, "sqlstate", None) is not None:
                raise  # the server answered, and refused a statement
            raise CommandError(f"PostgreSQL does not answer: {_first_line(error)}") from error

    def _write(self, document: dict[str, Any]) -> None:
        self.stdout.write(json.dumps(document, default=str))


def sentence(refusal: DomainError) -> str:
    """What is refused and why, with the facts and the code: `This name is taken. (slug: sol) [slug_taken]`."""
    if isinstance(refusal, ValidationFailed):
        return f"{'; '.join(_faults(refusal.facts['errors']))} [{refusal.code}]"
    facts = {name: value for name, value in refusal.facts.items() if name != "detail"}
    words = [f"{name.replace('_', ' ')}: {shown(value)}" for name, value in facts.items()]
    told = f" ({'; '.join(words)})" if words else ""
    return f"{refusal.detail}{told} [{refusal.code}]"


def _faults(errors: Any) -> list[str]:
    """Each field with its messages: `slug: Use 2 to 40 …`."""
    return [
        f"{name}: {' '.join(map(force_str, messages if isinstance(messages, list | tuple) else [messages]))}"
        for name, messages in errors.items()
    ]


def shown(value: Any) -> str:
    """A fact as people read it: a moment to the minute, lists and objects as JSON."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M UTC")
    if isinstance(value, dict | list | tuple):
        return json.dumps(value, default=str)
    return "none" if value is None else str(value)


def _first_line(error: Exception) -> str:
    return str(error).strip().partition("\n")[0]
