"""Which reader a file needs, by its first bytes and not by its name."""

from typing import BinaryIO

from django.utils.translation import gettext as _

from apps.crm.services.imports.tables import Table, refused
from apps.crm.services.imports.text_files import read_text
from apps.crm.services.imports.workbooks import read_workbook

_ZIP = b"PK\x03\x04"
_OLD_EXCEL = b"\xd0\xcf\x11\xe0"


def open_table(file: BinaryIO) -> Table:
    """The table in an uploaded file. Raises ValidationFailed with `errors.file`."""
    file.seek(0)
    head = file.read(4)
    if head.startswith(_ZIP):
        return read_workbook(file)
    if head.startswith(_OLD_EXCEL):
        raise refused(_("This is an old Excel file (.xls). Save it as XLSX or CSV."))
    return read_text(file)
