"""`--json`: one document on stdout, also of a refusal."""

import io
import json
from typing import Any

import pytest
from django.core.management.base import CommandError, CommandParser

from config.management.output import JsonCommand


class _Command(JsonCommand):
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        super().add_arguments(parser)
        parser.add_argument("--fail-after", type=int)
        parser.add_argument("--interrupted", action="store_true")

    def handle(self, *args: Any, **options: Any) -> None:
        if options["interrupted"]:
            raise KeyboardInterrupt
        for number in (1, 2):
            if options["fail_after"] == number - 1:
                raise CommandError(f"no {number}", returncode=3)
            self.report(f"made {number}", made=number)


def _said(*arguments: str) -> tuple[int, str, str]:
    out, err = io.StringIO(), io.StringIO()
    try:
        _Command(stdout=out, stderr=err).run_from_argv(["manage.py", "make", *arguments])
    except SystemExit as end:
        return int(end.code or 0), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


def test_json_is_one_document():
    code, out, err = _said("--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == {"results": [{"made": 1}, {"made": 2}]}


def test_refusal_is_a_document_too_and_keeps_its_exit_code():
    code, out, err = _said("--json", "--fail-after", "0")
    assert (code, json.loads(out), err) == (3, {"error": "no 1"}, "")


def test_refusal_half_way_tells_what_was_done():
    _, out, _ = _said("--json", "--fail-after", "1")
    assert json.loads(out) == {"error": "no 2", "results": [{"made": 1}]}


def test_refusal_without_json_is_a_line_for_people():
    assert _said("--fail-after", "1") == (3, "made 1\n", "CommandError: no 2\n")


def test_an_interrupt_is_a_sentence_and_no_traceback():
    text = "Interrupted. What was begun goes on when the same is run again."
    assert _said("--interrupted") == (130, "", f"CommandError: {text}\n")
    code, out, _ = _said("--interrupted", "--json")
    assert (code, json.loads(out)) == (130, {"error": text})


def test_caller_in_python_gets_the_exception():
    command = _Command(stdout=io.StringIO())
    with pytest.raises(CommandError, match="no 1"):
        command.execute(
            json=True,
            fail_after=0,
            interrupted=False,
            force_color=False,
            no_color=False,
            skip_checks=True,
        )
