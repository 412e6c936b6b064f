"""XLSX workbooks, read row by row. openpyxl uses defusedxml, so entity bombs are refused by the parser."""

import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from typing import Any, BinaryIO
from xml.parsers.expat import ExpatError

from django.utils.translation import gettext as _
from openpyxl.reader.excel import ExcelReader
from openpyxl.styles.stylesheet import apply_stylesheet
from openpyxl.utils.exceptions import InvalidFileException
from openpyxl.worksheet._read_only import ReadOnlyWorksheet
from openpyxl.xml.constants import SHARED_STRINGS

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
from apps.crm.services.imports.watched_sheets import SampleEnds, WatchedSheet
from apps.crm.services.imports.zip_bombs import BoundedArchive, refuse_bomb

# Digits that a float holds exactly; beyond, it was no whole number in the sheet.
_LARGEST_WHOLE = 1e15
# How far into the sheet its first rows are looked for.
_SAMPLE_BYTES = 4 << 20
# What openpyxl and zipfile raise for a damaged workbook. ParseError is a SyntaxError; RuntimeError
# is an encrypted part, or too deep recursion.
_DAMAGED = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,
    ExpatError,
    zlib.error,
    EOFError,
    RuntimeError,
    OSError,
)


class _Reader(ExcelReader):
    """Reads what rows need: strings, styles (which numbers are dates), and the first visible sheet."""

    def __init__(self, file: BinaryIO) -> None:
        super().__init__(file, read_only=True, data_only=True, keep_links=False)
        self.archive: BoundedArchive = BoundedArchive(file)

    def read(self) -> None:
        self.read_manifest()
        self.read_strings()
        self.read_workbook()
        apply_stylesheet(self.archive, self.wb)

    def read_strings(self) -> None:
        part = self.package.find(SHARED_STRINGS)  # type: ignore[no-untyped-call]
        if part is not None:
            self.shared_strings = self.archive.shared_strings(part.PartName[1:])

    def sheet(self) -> "_Sheet | None":
        for sheet, relation in self.parser.find_sheets():
            is_table = relation.target in self.valid_files and "chartsheet" not in relation.Type
            if is_table and sheet.state == "visible":
                found = _Sheet(self.wb, sheet.name, relation.target, self.shared_strings)
                found.archive, found.path = self.archive, relation.target
                return found
        return None


class _Sheet(ReadOnlyWorksheet):
    archive: BoundedArchive
    path: str
    most_bytes: int | None = None

    def _get_size(self) -> None:
        """Not looked for: the stated dimension may lie, and the search may read the whole sheet."""

    def _get_source(self) -> WatchedSheet:
        return self.archive.sheet(self.path, self.most_bytes)


def read_workbook(file: BinaryIO) -> Table:
    """The first visible sheet. Raises ValidationFailed for what is no workbook, or unpacks to too much."""
    with _damage_refused():
        unpacked = refuse_bomb(file)
        file.seek(0)
        reader = _Reader(file)
        reader.read()
        found = reader.sheet()
    if found is None:
        raise refused(_("The workbook has no visible sheet."))
    sheet: _Sheet = found

    def rows() -> Iterator[Row]:
        with _damage_refused():
            yield from _rows(sheet)

    sample = _sample(sheet)
    if not sample:
        raise refused(_("The file is empty."))
    return Table("xlsx", rows, sample, unpacked_bytes=unpacked)


def _sample(sheet: _Sheet) -> list[list[str]]:
    """The first rows, as far as they stand at the sheet's beginning."""
    sample: list[list[str]] = []
    sheet.most_bytes = _SAMPLE_BYTES
    try:
        with _damage_refused():
            for _number, cells in islice(_rows(sheet), SAMPLE_ROWS):
                sample.append(cells)
    except SampleEnds:
        pass
    finally:
        sheet.most_bytes = None
    return sample


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise refused(_("The workbook cannot be read.")) from error


def _rows(sheet: Any) -> Iterator[Row]:
    for number, values in enumerate(sheet.iter_rows(values_only=True), start=1):
        if number > MAX_ROWS or any(value is not None for value in values[MAX_COLUMNS:]):
            raise refused(too_large())
        cells = [cleaned(_text(value)) for value in values[:MAX_COLUMNS]]
        if any(cells):
            yield number, cells


def _text(value: Any) -> str:
    """The cell as a person would have typed it into a CSV file."""
    match value:
        case None:
            text = ""
        case bool():
            text = str(value).lower()
        case float() if value.is_integer() and abs(value) < _LARGEST_WHOLE:
            text = str(int(value))
        case datetime() if value.time() == time():
            text = value.date().isoformat()
        case date():
            text = value.isoformat()
        case _:
            text = str(value)
    return text
