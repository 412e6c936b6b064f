"""A file as rows of text cells, whatever it was written by."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

from django.utils.translation import gettext as _

from config.errors import ValidationFailed

MAX_ROWS = 2_000_000
MAX_COLUMNS = 500
SAMPLE_ROWS = 30

Row = tuple[int, list[str]]


@dataclass(frozen=True, slots=True)
class Table:
    """`rows()` gives (number in the file from 1, stripped cells) without the blank rows, from the top each time.

    `sample` is its beginning; `is_spaced` says that white space alone parts the cells;
    `unpacked_bytes` is what a workbook unpacks to, 0 for text.
    """

    file_format: Literal["csv", "xlsx"]
    rows: Callable[[], Iterator[Row]]
    sample: list[list[str]]
    is_spaced: bool = False
    unpacked_bytes: int = 0


def refused(message: str) -> ValidationFailed:
    """The refusal of a file as a whole."""
    return ValidationFailed(errors={"file": [message]})


def too_large() -> str:
    """Why a table beyond the limits is refused."""
    return _("At most {rows} rows of {columns} columns.").format(rows=MAX_ROWS, columns=MAX_COLUMNS)


def cleaned(cell: str) -> str:
    """The cell without the spaces around it, and without the mark with which exports disarm formulas."""
    text = cell.strip()
    return text[1:] if text[:1] == "'" and text[1:2] in set("=+-@") else text
