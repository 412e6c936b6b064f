"""What a tenant's use was charged, shared out to its own apps, members, keys and campaigns."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from django.utils.dateparse import parse_datetime

from billing.books.costing import OF_PERIOD, shared, units_by, used_by
from billing.models import Invoice
from billing.money import Money
from tenants.models import ApiKey, Member


@dataclass(frozen=True, slots=True)
class Charged:
    """Units of a meter that fall to one app, member, key or campaign, and what was charged for them.

    `label` "" is what nobody is known of, `name` a member's or a key's where it is still there.
    `amount` is before taxes and discounts; None where it is on no invoice yet.
    """

    label: str
    meter: str
    units: int
    amount: Money | None = None
    name: str = ""


def charged_on(invoice: Invoice, *, by: str) -> list[Charged]:
    """What an invoice's lines of use, and minima of it, charge; the parts of a meter sum to its lines."""
    wholes: defaultdict[tuple[str, str], int] = defaultdict(int)
    for line in invoice.lines.all():
        if "meter" in line.facts and "period_start" in line.facts:
            wholes[line.facts["meter"], line.facts["period_start"]] += line.amount_minor
    found: list[Charged] = []
    for (meter, began), whole in wholes.items():
        facts = {"tenant": invoice.tenant_id, "meter": meter, "period": parse_datetime(began)}
        units = units_by(by, OF_PERIOD, facts).get(meter) or {"": 0}
        found += [
            Charged(label, meter, units[label], Money(amount, invoice.currency))
            for label, amount in shared(whole, units)
        ]
    return _named(found, by=by, tenant_id=invoice.tenant_id)


def used_in_month(*, tenant_id: UUID, by: str, start: datetime, end: datetime) -> list[Charged]:
    """What was used in [start, end), a calendar month, whatever it will be charged."""
    found = [
        Charged(label, meter, units)
        for meter, shares in used_by(by, tenant_id=tenant_id, starts_at=start, ends_at=end).items()
        for label, units in shares.items()
    ]
    return _named(found, by=by, tenant_id=tenant_id)


def _named(found: Iterable[Charged], *, by: str, tenant_id: UUID) -> list[Charged]:
    names: dict[str, str] = {}
    if by == "member":
        members = Member.objects.filter(tenant_id=tenant_id).select_related("person")
        names = {str(each.pk): each.person.name or each.person.email for each in members}
    if by == "api_key":
        keys = ApiKey.objects.filter(tenant_id=tenant_id).values_list("pk", "name")
        names = {str(key): name for key, name in keys}
    told = [
        Charged(one.label, one.meter, one.units, one.amount, names.get(one.label, ""))
        for one in found
    ]
    return sorted(told, key=lambda one: (one.label, one.meter))
