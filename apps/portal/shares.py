"""A tenant's shares of the machine as bars: tasks at the same time, and storage."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from django.template.defaultfilters import filesizeformat
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _

from apps.portal.standing import level_of
from apps.portal.templatetags.portal import amount
from config.context import TenantRef
from quotas.shares import ShareUsage, shares_used

_SHOWN: Mapping[str, tuple[Promise, Callable[[int], str]]] = {
    "worker_slots": (_("Background tasks at the same time"), amount),
    "storage": (_("Storage"), filesizeformat),
}


@dataclass(frozen=True, slots=True)
class ShareRow:
    """One share for a bar; `used` is 0 where it is not known."""

    key: str
    name: Promise
    used: int
    limit: int | None
    used_shown: str
    limit_shown: str
    level: str


def share_rows(tenant: TenantRef) -> list[ShareRow]:
    """Each share whose use is a number."""
    return [_row(found) for found in shares_used(tenant)]


def _row(found: ShareUsage) -> ShareRow:
    name, shown = _SHOWN[found.share]
    used = found.used or 0
    return ShareRow(
        key=found.share,
        name=name,
        used=used,
        limit=found.limit,
        used_shown=shown(used),
        limit_shown="" if found.limit is None else shown(found.limit),
        level=level_of(used, found.limit),
    )
