"""How much an archive holds of what a plan limits, read before anything is made of it."""

import csv
import io
from pathlib import Path

from tenants.archives.manifest import PUBLIC
from tenants.archives.reading import opened
from tenants.archives.refusals import ArchiveInvalid

_TOTALS = f"{PUBLIC}quotas_usagetotal.csv"
# A row for each meter and period of one tenant: far more than that is none of ours.
_LARGEST = 16 << 20
# Meters that never start anew stand under this period; the others' use is past.
_LIFETIME = "1970-01-01"


def usage_in(path: Path, *, is_foreign_allowed: bool) -> dict[str, int]:
    """Units in use, by meter (contacts, seats, storage_bytes…), as the archive tells them.

    Raises ArchiveInvalid, ArchiveForeign, ArchiveVersionUnknown, OSError.
    """
    with opened(path, is_foreign_allowed=is_foreign_allowed) as archive:
        entry = archive.manifest.entries.get(_TOTALS)
        if entry is None or entry.size > _LARGEST:
            raise ArchiveInvalid(reason=f"There is no {_TOTALS} in it that can be read.")
        body = b"".join(archive.read(_TOTALS))
    try:
        rows = csv.DictReader(io.StringIO(body.decode(), newline=""), strict=True)
        return {
            row["meter"]: int(row["used"])
            for row in rows
            if row["period_start"].startswith(_LIFETIME)
        }
    except (csv.Error, KeyError, ValueError, AttributeError, TypeError) as error:
        raise ArchiveInvalid(reason=f"{_TOTALS} is malformed.") from error
