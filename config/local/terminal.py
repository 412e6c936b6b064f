"""Lines on a terminal or a pipe. Losing the reader never ends the work."""

import os
import sys
from dataclasses import dataclass
from typing import TextIO

from config.local.trouble import Trouble


@dataclass(slots=True)
class Terminal:
    """Progress for a person: one line for each thing that happened."""

    stream: TextIO

    def done(self, text: str) -> None:
        self.line(f"✓ {text}")

    def note(self, text: str) -> None:
        self.line(f"  {text}")

    def warn(self, text: str) -> None:
        self.line(f"! {text}")

    def quote(self, lines: list[str]) -> None:
        for line in lines:
            self.line(f"  │ {line}")

    def refuse(self, trouble: Trouble) -> None:
        self.line(f"✗ {trouble.what}")
        if trouble.todo:
            self.line(f"  → {trouble.todo}")

    def line(self, text: str) -> None:
        try:
            self.stream.write(text + "\n")
            self.stream.flush()
        except (OSError, ValueError):
            # `make up | head` or a closed terminal: the servers go on, the words go nowhere.
            self.stream = open(os.devnull, "w")  # noqa: PTH123, SIM115  it lives as long as we do


def standard_output() -> Terminal:
    return _terminal(sys.stdout)


def standard_error() -> Terminal:
    return _terminal(sys.stderr)


def _terminal(stream: TextIO) -> Terminal:
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors="replace")  # an old locale has no ✓
    return Terminal(stream)
