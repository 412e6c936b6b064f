"""A stand-in of who stamps fiscal documents: remembers by key, and fails as it is told to."""

from collections.abc import Mapping
from typing import Any, ClassVar

from billing.providers.fiscal import FiscalDown, FiscalRefused, Stamp


class FiscalStandin:
    """`faults` are used up one by one: "down" (before the work), "lost" (after it), "refused"."""

    countries = frozenset({"US", "MX", "CR"})
    stamped: ClassVar[dict[str, Mapping[str, Any]]] = {}
    faults: ClassVar[list[str]] = []

    def stamp(self, document: Mapping[str, Any], *, key: str) -> Stamp:
        fault = self.faults.pop(0) if self.faults else ""
        if fault == "down":
            raise FiscalDown("503")
        if fault == "refused":
            raise FiscalRefused("The buyer's RFC is not known to the authority.")
        self.stamped.setdefault(key, document)
        if fault == "lost":
            raise FiscalDown("timed out")
        number = list(self.stamped).index(key) + 1
        return Stamp(f"FOLIO-{number}", f"https://fiscal.test/{number}")

    @classmethod
    def begin(cls, *faults: str) -> None:
        """Forget everything; fail so in the next requests."""
        cls.stamped.clear()
        cls.faults[:] = faults
