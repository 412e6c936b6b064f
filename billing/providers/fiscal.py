"""Fiscal documents (CFDI, comprobante electrónico): the seam at which somebody certified stamps them.

Plaza's PDF is none. An installation that owes them names a class of its own in FISCAL_DESK, made without
arguments; billing/books/stamping.py gives it each document once, and keeps what it answers.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Protocol

from django.conf import settings
from django.utils.module_loading import import_string


class FiscalDown(Exception):
    """The desk does not answer, or not now; the document is given to it again later."""


class FiscalRefused(Exception):
    """The desk will not stamp this document as it is; its text says why. A person looks into it."""


@dataclass(frozen=True, slots=True)
class Stamp:
    """What the authority knows the document by, and where its certified form can be had."""

    reference: str
    url: str = ""


class FiscalDesk(Protocol):
    """Who stamps. The same `key` again answers the same stamp, also when the first answer was lost."""

    # ISO 3166 codes of the sellers' countries in which it stamps.
    countries: frozenset[str]

    def stamp(self, document: Mapping[str, Any], *, key: str) -> Stamp:
        """Stamp an invoice or a credit note (billing/books/stamping.py says its shape).

        Raises FiscalDown, FiscalRefused.
        """
        ...


def desk() -> FiscalDesk | None:
    """Who stamps for this installation; None where nobody does."""
    return _desk(settings.FISCAL_DESK) if settings.FISCAL_DESK else None


@lru_cache(maxsize=2)
def _desk(path: str) -> FiscalDesk:
    made: FiscalDesk = import_string(path)()
    return made
