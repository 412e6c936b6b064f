"""A tenant's newest acts, as a panel of its page."""

from typing import Any
from uuid import UUID

from django.utils.formats import date_format
from django.utils.translation import gettext as _

from tenants.isolation import tenant_context
from tenants.models import Tenant, TrailHead
from tenants.trail.models import TrailEvent

_SHOWN = 20


def trail_table(tenant_id: UUID) -> dict[str, Any]:
    """Read as the tenant itself, for the square may not; of one without a sealed act nothing is asked."""
    headers = [_("when"), _("action"), _("actor"), _("object"), _("address"), _("request id")]
    rows: list[list[Any]] = []
    if TrailHead.objects.filter(pk=tenant_id, number__gt=0).exists():
        with tenant_context(Tenant.objects.get(pk=tenant_id)):
            rows = [_row(event) for event in TrailEvent.objects.order_by("-number")[:_SHOWN]]
    return {"title": _("Audit trail"), "table": {"headers": headers, "rows": rows}}


def _row(event: TrailEvent) -> list[Any]:
    who = " ".join(str(part) for part in (event.actor_kind, event.actor_id) if part)
    return [
        date_format(event.recorded_at, "SHORT_DATETIME_FORMAT"),
        event.action,
        who,
        event.object_label or event.object_id or "–",
        event.address or "–",
        event.request_id or "–",
    ]
