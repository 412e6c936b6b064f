"""Worksheets watched while openpyxl streams them: it keeps a whole row, and all that is no row, in memory."""

from typing import BinaryIO, Self

from apps.crm.services.imports.safe_xml import (
    MAIN,
    MAX_CELL_CHARACTERS,
    MAX_DEPTH,
    safe_parser,
    too_much,
)

# The format's own limits. openpyxl keeps one row in memory.
MAX_ROWS_IN_SHEET = 1_048_576
MAX_CELLS_IN_ROW = 16_384
# A cell may hold a value, a formula, formatted text.
MAX_ELEMENTS_IN_ROW = 8 * MAX_CELLS_IN_ROW
# Merged cells, links and so on, which openpyxl keeps until the sheet ends.
MAX_ELEMENTS_OUTSIDE_ROWS = 300_000
# A tag, comment or attribute is held in memory until its end comes.
MAX_TOKEN_BYTES = 1 << 20
# One cell far to the right makes its row wide: some such rows, then no more than two columns for a byte.
_FREE_COLUMNS = 2_000_000
_COLUMNS_FOR_BYTE = 2
_ROW, _CELL = MAIN + "row", MAIN + "c"
_CHUNK = 1 << 16


class SampleEnds(Exception):
    """As much of the sheet as was asked for has been read."""


class WatchedSheet:
    """A worksheet's bytes on their way into openpyxl, counted by a parser of our own before it sees them."""

    def __init__(self, part: BinaryIO, most_bytes: int | None) -> None:
        self._part, self._most_bytes = part, most_bytes
        self._bytes = self._last_event = 0
        self._depth = self._row_depth = 0
        self._rows = self._columns = self._outside = 0
        self._cells = self._elements = self._characters = self._row_columns = 0
        self._parser = safe_parser()
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        self.close()

    def close(self) -> None:
        self._part.close()

    def read(self, size: int = _CHUNK) -> bytes:
        """At most `size` bytes. Raises ValidationFailed for a bomb, SampleEnds, ExpatError."""
        if self._most_bytes is not None and self._bytes >= self._most_bytes:
            raise SampleEnds
        chunk = self._part.read(size)
        self._bytes += len(chunk)
        self._parser.Parse(chunk, not chunk)
        if self._bytes - self._last_event > MAX_TOKEN_BYTES:
            raise too_much()
        return chunk

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._last_event = self._bytes
        self._depth += 1
        if self._row_depth:
            self._elements += 1
            if name == _CELL:
                self._start_cell(attributes.get("r"))
        elif name == _ROW:
            self._start_row(attributes)
        else:
            self._characters = 0
            self._outside += 1
        if (
            self._depth > MAX_DEPTH
            or self._cells > MAX_CELLS_IN_ROW
            or self._elements > MAX_ELEMENTS_IN_ROW
            or self._outside > MAX_ELEMENTS_OUTSIDE_ROWS
        ):
            raise too_much()

    def _start_row(self, attributes: dict[str, str]) -> None:
        self._row_depth = self._depth
        self._rows += 1
        self._cells = self._elements = self._characters = self._row_columns = 0
        if self._rows > MAX_ROWS_IN_SHEET or _row_number(attributes) > MAX_ROWS_IN_SHEET:
            raise too_much()

    def _start_cell(self, reference: str | None) -> None:
        self._cells += 1
        self._characters = 0
        # openpyxl makes the row as wide as its last cell says.
        self._row_columns = _column(reference) if reference else self._row_columns + 1

    def _end(self, _name: str) -> None:
        self._last_event = self._bytes
        if self._depth == self._row_depth:
            self._row_depth = 0
            self._columns += self._row_columns
            if self._columns > _FREE_COLUMNS + _COLUMNS_FOR_BYTE * self._bytes:
                raise too_much()
        self._depth -= 1

    def _text(self, text: str) -> None:
        self._last_event = self._bytes
        self._characters += len(text)
        if self._characters > MAX_CELL_CHARACTERS:
            raise too_much()


def _row_number(attributes: dict[str, str]) -> float:
    try:
        return float(attributes.get("r", 0))
    except ValueError:
        # Damaged, which is openpyxl's to refuse.
        return 0


def _column(reference: str) -> int:
    """`AB12` is column 28."""
    number = 0
    for letter in reference[:4]:
        if not letter.isalpha():
            break
        number = number * 26 + ord(letter.upper()[0]) - 64
    return number
