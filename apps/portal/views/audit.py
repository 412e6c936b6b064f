"""The audit trail, for a tenant's owner and admins: searched, and paged from the newest on."""

from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils import timezone

from apps.portal.pages import page
from config.context import require_tenant
from config.errors import ValidationFailed
from config.needs import Feature, Needs, Permission
from config.personal import Personal, shown
from quotas.entitlements import snapshot
from tenants.identity.people import members_of
from tenants.isolation import on_square
from tenants.trail.exporting import CSV
from tenants.trail.filters import narrowed
from tenants.trail.models import TrailEvent
from tenants.trail.views import exported

NEEDS = Needs(read=Permission.AUDIT_READ, meter=None)
_SHOWN = 50


@dataclass(frozen=True, slots=True)
class AuditRow:
    """One act in a table's words; `who` is an e-mail where a member of today acted, else the kind."""

    event: TrailEvent
    who: str
    changes: list[tuple[str, Any, Any]]


@page(NEEDS, "GET")
def audit(request: HttpRequest) -> HttpResponse:
    """`/audit?search=&action=&before=<number>`."""
    asked = {
        name: request.GET.get(name, "").replace("\x00", "").strip()[:100]
        for name in ("search", "action")
    }
    found = _matching({name: value for name, value in asked.items() if value})
    if (before := request.GET.get("before", "")).isdecimal() and len(before) < 19:
        found = found.filter(number__lt=int(before))
    events = list(found.order_by("-number")[: _SHOWN + 1])
    more = {**asked, "before": events[_SHOWN - 1].number} if len(events) > _SHOWN else None
    features = snapshot(require_tenant().id, now=timezone.now()).features
    facts = {
        "here": "plan",
        "asked": asked,
        "rows": _rows(events[:_SHOWN]),
        "next": f"/audit?{urlencode(more)}" if more else "",
        "may_export": Feature.AUDIT_EXPORT in features,
        "query": urlencode({name: value for name, value in asked.items() if value}),
    }
    return render(request, "portal/audit.html", facts)


@page(Needs(feature=Feature.AUDIT_EXPORT, read=Permission.AUDIT_EXPORT, meter=None), "GET")
def export(request: HttpRequest) -> HttpResponse:
    """`/audit/export.csv`: what the table's filters leave, for a spreadsheet."""
    answer: Any = exported(request.GET, CSV)
    return answer  # type: ignore[no-any-return]


def _matching(asked: dict[str, str]) -> QuerySet[TrailEvent]:
    try:
        return narrowed(asked)
    except ValidationFailed:
        nothing: QuerySet[TrailEvent] = TrailEvent.objects.none()
        return nothing


def _rows(events: list[TrailEvent]) -> list[AuditRow]:
    emails = _emails([e.actor_id for e in events if e.actor_kind == "person" and e.actor_id])
    return [
        AuditRow(
            event,
            emails.get(str(event.actor_id), event.actor_kind),
            [
                (name, event.before.get(name, "–"), event.after.get(name, "–"))
                for name in sorted(event.before.keys() | event.after.keys())
            ],
        )
        for event in events
    ]


def _emails(member_ids: list[UUID]) -> dict[str, str]:
    with on_square():
        found = members_of(require_tenant().id).filter(pk__in=member_ids)
        return {
            str(pk): shown(Personal.EMAIL, email)
            for pk, email in found.values_list("pk", "person__email")
        }
