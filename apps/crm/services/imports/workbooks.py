"""XLSX workbooks, read row by row. openpyxl uses defusedxml, so entity bombs are refused by the parser."""

import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import date, datetime, time
from itertools import islice
from typing import Any, BinaryIO

import openpyxl
from django.utils.translation import gettext as _
from openpyxl.utils.exceptions import InvalidFileException

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

# A zip may hold a thousand times its size. Shared strings are read into memory as a whole.
_MAX_UNPACKED_BYTES = 512 << 20
_MAX_SHARED_STRINGS_BYTES = 64 << 20
_MAX_MEMBERS = 2_000
# Digits that a float holds exactly; beyond, it was no whole number in the sheet.
_LARGEST_WHOLE = 1e15
# What openpyxl raises for a damaged workbook. ParseError is a SyntaxError.
_DAMAGED = (
    zipfile.BadZipFile,
    InvalidFileException,
    KeyError,
    ValueError,
    TypeError,
    AttributeError,
    IndexError,
    SyntaxError,
    OSError,
)


def read_workbook(file: BinaryIO) -> Table:
    """The first visible sheet. Raises ValidationFailed for what is no workbook, or unpacks to too much."""
    with _damage_refused():
        _refuse_bomb(file)
        file.seek(0)
        book = openpyxl.load_workbook(file, read_only=True, data_only=True, keep_links=False)
        sheets = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
    if not sheets:
        raise refused(_("The workbook has no visible sheet."))
    sheet: Any = sheets[0]
    # The stated dimension may lie; the rows do not.
    sheet.reset_dimensions()

    def rows() -> Iterator[Row]:
        with _damage_refused():
            yield from _rows(sheet)

    sample = [cells for _number, cells in islice(rows(), SAMPLE_ROWS)]
    if not sample:
        raise refused(_("The file is empty."))
    return Table("xlsx", rows, sample)


@contextmanager
def _damage_refused() -> Iterator[None]:
    try:
        yield
    except _DAMAGED as error:
        raise refused(_("The workbook cannot be read.")) from error


def _refuse_bomb(file: BinaryIO) -> None:
    file.seek(0)
    with zipfile.ZipFile(file) as archive:
        members = archive.infolist()
    # Python reads no more of a member than its header states, so the stated sizes bind.
    unpacked = sum(member.file_size for member in members)
    strings = sum(m.file_size for m in members if m.filename.endswith("sharedStrings.xml"))
    if (
        len(members) > _MAX_MEMBERS
        or unpacked > _MAX_UNPACKED_BYTES
        or strings > _MAX_SHARED_STRINGS_BYTES
    ):
        raise refused(_("The workbook unpacks to too much; send it as CSV."))


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
