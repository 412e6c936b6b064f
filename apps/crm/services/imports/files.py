"""Which reader a file needs, by its first bytes; its name tells only what it was meant to be."""

import zipfile
from typing import BinaryIO

from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.services.imports.tables import Table, refused
from apps.crm.services.imports.text_files import read_text
from apps.crm.services.imports.workbooks import read_workbook
from config.errors import ValidationFailed

_ZIP = (b"PK\x03\x04", b"PK\x05\x06")
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"
_IMAGE = gettext_lazy("an image")
_OTHERS = (
    (b"%PDF-", gettext_lazy("a PDF")),
    (b"\x89PNG", _IMAGE),
    (b"\xff\xd8\xff", _IMAGE),
    (b"GIF8", _IMAGE),
    (b"\x1f\x8b", gettext_lazy("a compressed file (gzip)")),
)
# Folders that only these hold; a workbook keeps its sheets in `xl/`.
_OTHER_OFFICE = (
    ("word/", gettext_lazy("a Word document")),
    ("ppt/", gettext_lazy("a PowerPoint presentation")),
)
_TYPES = "[Content_Types].xml"


def open_table(file: BinaryIO, *, name: str = "") -> Table:
    """The table in an uploaded file of this name. Raises ValidationFailed with `errors.file`."""
    file.seek(0)
    head = file.read(8)
    for mark, kind in _OTHERS:
        if head.startswith(mark):
            raise _no_table(kind)
    if head.startswith(_OLD_EXCEL):
        raise refused(_old_excel(name))
    if head.startswith(_ZIP):
        _refuse_other_zip(file)
        return read_workbook(file)
    table = read_text(file)
    if name.lower().endswith(".xlsx"):
        raise refused(_("This is a text file named .xlsx. If it is CSV, name it .csv."))
    return table


def _no_table(kind: object) -> ValidationFailed:
    return refused(_("This is {kind}, not a CSV or XLSX file.").format(kind=kind))


def _old_excel(name: str) -> str:
    if name.lower().endswith(".xlsx"):
        # A password wraps a workbook in the old format.
        return _("This workbook is protected by a password. Save it without one, or as CSV.")
    return _("This is an old Excel file (.xls). Save it as XLSX or CSV.")


def _refuse_other_zip(file: BinaryIO) -> None:
    try:
        with zipfile.ZipFile(file) as archive:
            names = archive.namelist()
    except zipfile.BadZipFile:
        # Damaged: it may have been a workbook, and the reader of workbooks says so.
        return
    for folder, kind in _OTHER_OFFICE:
        if any(name.startswith(folder) for name in names):
            raise _no_table(kind)
    if "mimetype" in names and "content.xml" in names:
        raise _no_table(_("an OpenDocument file"))
    if _TYPES not in names:
        raise _no_table(_("a ZIP archive"))
