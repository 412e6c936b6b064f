"""The spend cap as a page shows and takes it: amounts in whole units of money, not in cents."""

import re
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.text import capfirst
from django.utils.translation import gettext as _

from apps.portal.labels import METERS
from apps.portal.standing import level_of
from billing.money import MINOR_PER_MAJOR, Money, major
from config.errors import ValidationFailed
from config.money import LARGEST_MINOR
from quotas.caps.standing import Spending, spending
from quotas.entitlements import snapshot

_AMOUNT = re.compile(r"(\d{1,13})(?:[.,](\d{1,2}))?")


@dataclass(frozen=True, slots=True)
class SpendingCard:
    """`level` is empty, near (80 % and more) or full; `meters` have a name and what was spent on it."""

    found: Spending
    spent: Money
    cap: Money | None
    level: str
    meters: tuple[tuple[str, Money], ...]

    @property
    def longest(self) -> int:
        """The bar's length; a bar of length 0 is not valid HTML."""
        return max(self.found.cap or 0, 1)

    @property
    def cap_shown(self) -> str:
        """What stands in the form."""
        return major(self.cap) if self.cap else ""


def spending_card(tenant_id: UUID, *, now: datetime) -> SpendingCard | None:
    """None where nothing is billed by usage."""
    found = spending(tenant_id, snapshot(tenant_id, now=now), now=now)
    if not found.is_of_use:
        return None
    return SpendingCard(
        found=found,
        spent=Money(found.spent, found.unit),
        cap=None if found.cap is None else Money(found.cap, found.unit),
        level=level_of(found.spent, found.cap),
        meters=tuple(
            (capfirst(str(METERS[each.meter])), Money(each.spent, found.unit))
            for each in found.meters
            if each.spent
        ),
    )


def minor_units(text: str) -> int | None:
    """`1234.5` or `1234,50` as 123450; None for nothing. Raises ValidationFailed."""
    if not text.strip():
        return None
    read = _AMOUNT.fullmatch(text.strip())
    if read is not None:
        amount = int(read[1]) * MINOR_PER_MAJOR + int((read[2] or "").ljust(2, "0"))
        if amount <= LARGEST_MINOR:
            return amount
    raise ValidationFailed(errors={"cap": [_("An amount like 250 or 250.50.")]})
