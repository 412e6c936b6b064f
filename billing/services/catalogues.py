"""Versions of the catalogue: which one a subscriber is on, and how the present one comes into force.

Whoever pays keeps the version under which they began, limits and prices, until moved; whoever does not
pay (free plan, trial) is always on the present one. A move raises or lowers the limits at once; prices
hold from the next period on, as what is paid already is paid.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from functools import cache
from typing import Any
from uuid import UUID

from billing import catalogue
from billing.catalogue import Catalogue
from billing.catalogue.stored import Change, changes, read_stored
from billing.models import CatalogueVersion, Subscription
from config.logs import logger

log = logger(__name__)


class CatalogueRewritten(ValueError):
    """A version that was stored has other contents now: raise `version` in the file."""

    def __init__(self, version: int, contents: Mapping[str, Any]) -> None:
        paths = ", ".join(change.path for change in changes(contents, catalogue.contents()))
        super().__init__(
            f"Version {version} of the catalogue was stored otherwise ({paths}): raise `version`"
            " in billing/catalogue/plans.toml."
        )


def catalogue_of(version: int | None) -> Catalogue:
    """A version; None is the present one. Raises CatalogueVersion.DoesNotExist."""
    present = catalogue.load()
    return present if version in {None, present.version} else _stored(version)


@cache
def _stored(version: int) -> Catalogue:
    """Kept for the life of the process: a stored version never changes."""
    row = CatalogueVersion.objects.get(pk=version)
    return read_stored(row.contents, present=catalogue.contents())


def catalogues_of(versions: Iterable[int]) -> dict[int, Catalogue]:
    """Each of the versions, as rating wants them."""
    return {version: catalogue_of(version) for version in versions}


def changes_since() -> list[Change]:
    """What the file says otherwise than the newest other version; nothing where there is none.

    Raises CatalogueRewritten.
    """
    present = catalogue.contents()
    known = CatalogueVersion.objects.filter(pk=present["version"]).first()
    if known is not None:
        if known.contents != present:
            raise CatalogueRewritten(known.version, known.contents)
        return []
    newest = CatalogueVersion.objects.order_by("-version").first()
    return list(changes(newest.contents, present)) if newest else []


def store(*, now: datetime) -> None:
    """Keep the present version. Harmless twice. Raises CatalogueRewritten."""
    present = catalogue.contents()
    row, is_new = CatalogueVersion.objects.get_or_create(
        version=present["version"], defaults={"contents": present, "stored_at": now}
    )
    if row.contents != present:
        raise CatalogueRewritten(row.version, row.contents)
    if is_new:
        log.info("catalogue.stored", extra={"version": row.version})


def behind(*, plan: str = "", version: int | None = None) -> list[UUID]:
    """Tenants on another version than the present one, the longest first; of one plan or version alone."""
    rows = Subscription.objects.exclude(catalogue_version=None)
    rows = rows.exclude(catalogue_version=catalogue.version())
    if plan:
        rows = rows.filter(plan=plan)
    if version is not None:
        rows = rows.filter(catalogue_version=version)
    return list(rows.order_by("catalogue_version", "pk").values_list("tenant_id", flat=True))
