"""A month of money as tables: margins of tenants and plans, and what one tenant's use costs."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from django.utils.translation import gettext as _

from apps.console.what_if_page import Table
from billing.books.costing import DIMENSIONS, Margin, allocated, by_plan, margins
from billing.books.wording import amount
from billing.models import Subscription
from billing.money import Money
from billing.services.what_if import month_of
from config.errors import ValidationFailed
from quotas.words import number
from tenants.models import Tenant

Panels = Callable[[datetime, datetime], list[Table]]
# The dearest first; who wants them all asks the database.
_MOST_ROWS = 500


def month_page(month: str, *, now: datetime, panels: Panels) -> dict[str, Any]:
    """What the page of a month shows; a month that is none, or is to come, is said to be a fault."""
    try:
        start = month_of(month, now=now)
    except ValidationFailed as refused:
        words = [str(text) for texts in refused.facts["errors"].values() for text in texts]
        return {"month": f"{month_of('', now=now):%Y-%m}", "fault": "; ".join(words)}
    end = (start + timedelta(days=32)).replace(day=1)
    return {"month": f"{start:%Y-%m}", "panels": panels(start, end)}


def panels_of_costs(tenant_id: UUID, starts_at: datetime, ends_at: datetime) -> list[Table]:
    """One table for each dimension, in the currency in which the tenant pays."""
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    currency = row.currency if row else "USD"
    titles = {
        "app": _("By app"),
        "member": _("By member"),
        "api_key": _("By key"),
        "campaign": _("By campaign"),
    }
    headers = [_("who"), _("meter"), _("units"), _("cost")]
    return [
        _table(
            titles[by],
            headers,
            [
                [one.label or "–", one.meter, number(one.units), _money(one.cost)]
                for one in allocated(
                    tenant_id=tenant_id, by=by, currency=currency,
                    starts_at=starts_at, ends_at=ends_at,
                )
            ],
        )
        for by in DIMENSIONS
    ]  # fmt: skip


def panels_of_margins(starts_at: datetime, ends_at: datetime) -> list[Table]:
    """By plan, and by tenant: the least margin first."""
    found = margins(starts_at=starts_at, ends_at=ends_at)
    found.sort(key=lambda one: (one.left.currency, one.left.amount))
    slugs = dict(
        Tenant.objects.filter(pk__in=[one.tenant_id for one in found]).values_list("pk", "slug")
    )
    headers = [_("revenue"), _("fees and gifts"), _("cost of use"), _("margin"), _("share")]
    plans = [[plan or "–", *_cells(sums)] for (plan, _of), sums in sorted(by_plan(found).items())]
    tenants = [
        [slugs.get(one.tenant_id) or str(one.tenant_id), *_cells(one)] for one in found[:_MOST_ROWS]
    ]
    return [
        _table(_("By plan"), [_("plan"), *headers], plans),
        _table(_("By tenant"), [_("tenant"), *headers], tenants),
    ]


def _cells(one: Margin) -> list[str]:
    share = f"{100 * one.left.amount / one.revenue.amount:.0f} %" if one.revenue.amount else "–"
    return [*(_money(each) for each in (one.revenue, one.fees, one.cost, one.left)), share]


def _money(money: Money) -> str:
    return amount(money.amount, money.currency)


def _table(title: str, headers: list[str], rows: list[list[Any]]) -> Table:
    return {"title": title, "table": {"headers": headers, "rows": rows}}
