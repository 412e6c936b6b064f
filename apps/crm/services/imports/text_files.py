"""Delimited text: encoding and delimiter are found out, not asked for."""

import codecs
import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from typing import BinaryIO

from django.utils.translation import gettext as _

from apps.crm.services.imports.tables import (
    MAX_COLUMNS,
    MAX_ROWS,
    SAMPLE_ROWS,
    Row,
    Table,
    cleaned,
    refused,
    too_large,
)

_SAMPLE_BYTES = 65_536
_CHUNK_BYTES = 1 << 20
_DELIMITERS = (",", ";", "\t", "|")
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# What no text holds: control characters other than white space and the old end-of-file mark.
_BINARY = re.compile(r"[\x00-\x08\x0e-\x19\x1b-\x1f]")
# Rows of one file hold the same number of cells; a few may be ragged.
_AGREEMENT = 0.8


def read_text(file: BinaryIO) -> Table:
    """The table in a text file. Raises ValidationFailed for what is no text, or no table."""
    encoding = _encoding(file)
    beginning = _beginning(file, encoding)
    if _BINARY.search(beginning):
        raise refused(_("This is neither a text file nor an XLSX workbook."))
    if not beginning.strip():
        raise refused(_("The file is empty."))
    delimiter = _delimiter(beginning)

    def rows() -> Iterator[Row]:
        file.seek(0)
        text = io.TextIOWrapper(file, encoding=encoding, newline="")
        try:
            yield from _rows(text, delimiter)
        finally:
            text.detach()

    sample = [cells for _number, cells in islice(rows(), SAMPLE_ROWS)]
    # Delimiters and quotes with nothing between them are rows of no cell.
    if not sample:
        raise refused(_("The file is empty."))
    return Table("csv", rows, sample, is_spaced=delimiter is None)


def _rows(text: io.TextIOWrapper, delimiter: str | None) -> Iterator[Row]:
    number = 0
    try:
        for cells in _records(text, delimiter):
            number += 1
            if number > MAX_ROWS or len(cells) > MAX_COLUMNS:
                raise refused(too_large())
            stripped = [cleaned(cell) for cell in cells]
            if any(stripped):
                yield number, stripped
    except csv.Error as error:
        message = _("Row {row} cannot be read: {why}.").format(row=number + 1, why=error)
        raise refused(message) from error
    except UnicodeDecodeError as error:
        message = _("Row {row} is not in the file's encoding.").format(row=number + 1)
        raise refused(message) from error


def _records(text: io.TextIOBase, delimiter: str | None) -> Iterator[list[str]]:
    if delimiter is None:
        return (line.split() for line in text)
    # Strict: a quote that is never closed must not swallow the rest of the file.
    return csv.reader(text, delimiter=delimiter, skipinitialspace=True, strict=True)


def _encoding(file: BinaryIO) -> str:
    """By its mark; else UTF-8 where every byte of the file agrees; else what Western Windows writes."""
    file.seek(0)
    head = file.read(4)
    for mark, encoding in _MARKS:
        if head.startswith(mark):
            return encoding
    return next((name for name in ("utf-8", "cp1252") if _decodes(file, name)), "latin-1")


def _decodes(file: BinaryIO, encoding: str) -> bool:
    file.seek(0)
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        while chunk := file.read(_CHUNK_BYTES):
            decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _beginning(file: BinaryIO, encoding: str) -> str:
    """The first whole lines, decoded."""
    file.seek(0)
    head = file.read(_SAMPLE_BYTES)
    text = codecs.getincrementaldecoder(encoding)(errors="replace").decode(head)
    if len(head) < _SAMPLE_BYTES:
        return text
    whole, newline, _rest = text.rpartition("\n")
    return whole + newline


def _delimiter(beginning: str) -> str | None:
    """The delimiter that parts the most cells evenly; None is white space, a comma when nothing parts."""
    best, most = ",", 1
    for candidate in _DELIMITERS:
        cells = _even_cells(beginning, candidate)
        if cells > most:
            best, most = candidate, cells
    if most == 1 and _even_cells(beginning, None, agreement=1) > 1:
        return None
    return best


def _even_cells(beginning: str, delimiter: str | None, agreement: float = _AGREEMENT) -> int:
    """How many cells nearly every row has; 0 when they do not agree."""
    counts: Counter[int] = Counter()
    try:
        records = _records(io.StringIO(beginning, newline=""), delimiter)
        counts.update(len(cells) for cells in islice(records, SAMPLE_ROWS) if any(cells))
    except csv.Error:
        # The sample may end within quotes; the whole file is judged when it is read.
        pass
    if not counts:
        return 0
    cells, rows = counts.most_common(1)[0]
    return cells if rows >= agreement * counts.total() else 0
