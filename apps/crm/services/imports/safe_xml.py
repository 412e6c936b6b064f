"""XML parsers that count what passes them, for files that strangers made."""

from typing import Any
from xml.parsers import expat

from django.utils.translation import gettext as _

from apps.crm.services.imports.tables import refused

MAIN = "http://schemas.openxmlformats.org/spreadsheetml/2006/main "
# The format's own limits are 8 levels or so, and 32,767 characters in a cell.
MAX_DEPTH = 32
MAX_CELL_CHARACTERS = 65_536


def too_much() -> Exception:
    """The refusal of a bomb."""
    return refused(_("The workbook unpacks to too much; send it as CSV."))


def safe_parser() -> Any:
    """A parser that knows namespaces, as openpyxl does, and refuses entities, as defusedxml does."""
    parser = expat.ParserCreate(namespace_separator=" ")
    parser.EntityDeclHandler = _refuse_entity
    return parser


def _refuse_entity(*_declared: object) -> None:
    raise refused(_("The workbook cannot be read."))
