"""All that an operator asks of one tenant: subscription, grants, usage, people, webhooks."""

from datetime import datetime
from typing import Any
from uuid import UUID

from django.urls import reverse
from django.utils.formats import date_format, number_format
from django.utils.html import format_html
from django.utils.translation import gettext as _

from apps.console.states import STATES
from apps.console.trail_table import trail_table
from billing.models import Subscription, WebhookEvent
from billing.money import Money, major
from quotas import explanations, ledger
from quotas.caps.standing import spending
from quotas.entitlements import snapshot
from quotas.models import Grant, Hold, SpendCap
from quotas.wording import why
from tenants.identity.people import members_of
from tenants.models import Tenant

_MOST_MEMBERS = 100
_MOST_WEBHOOKS = 20
_MOST_REFUSALS = 5
Table = dict[str, Any]


def facts_of(object_id: str, *, now: datetime) -> list[Table]:
    """The panels of a tenant's page, each a table; none for an id that is no tenant's."""
    try:
        tenant_id = UUID(object_id)
    except ValueError:
        return []
    if not Tenant.objects.filter(pk=tenant_id).exists():
        return []
    return [
        _subscription(tenant_id),
        _usage(tenant_id, now),
        _spending(tenant_id, now),
        _grants(tenant_id),
        _members(tenant_id),
        _webhooks(tenant_id),
        refusals_table(tenant_id, most=_MOST_REFUSALS),
        trail_table(tenant_id),
    ]


def _table(title: str, headers: list[str], rows: list[list[Any]]) -> Table:
    return {"title": title, "table": {"headers": headers, "rows": rows}}


def _moment(value: datetime | None) -> str:
    return date_format(value, "SHORT_DATETIME_FORMAT") if value else "–"


def _count(value: int | None) -> str:
    return "∞" if value is None else str(number_format(value, use_l10n=True, force_grouping=True))


def _subscription(tenant_id: UUID) -> Table:
    headers = [_("plan"), _("state"), _("provider"), _("trial ends"), _("period ends"), _("hold")]
    row = Subscription.objects.filter(tenant_id=tenant_id).first()
    hold = Hold.objects.filter(tenant_id=tenant_id).values_list("code", flat=True).first()
    rows = (
        [[
            row.plan,
            STATES[row.status],
            f"{row.provider} {row.provider_subscription_id}".strip() or "–",
            _moment(row.trial_ends_at),
            _moment(row.period_ends_at),
            hold or "–",
        ]]
        if row
        else []
    )  # fmt: skip
    return _table(_("Subscription"), headers, rows)


def _usage(tenant_id: UUID, now: datetime) -> Table:
    headers = [_("meter"), _("used"), _("limit"), _("left"), _("starts again")]
    rows = [
        [
            found.meter.value,
            _count(found.used),
            _count(found.limit),
            _count(found.remaining),
            _moment(found.resets_at),
        ]
        for found in ledger.usage(tenant_id=tenant_id, now=now)
    ]
    return _table(_("Usage"), headers, rows)


def _spending(tenant_id: UUID, now: datetime) -> Table:
    """What use above the included costs in the present billing period, and the tenant's own cap."""
    headers = [_("currency"), _("spent"), _("cap"), _("left"), _("set by"), _("starts again")]
    found = spending(tenant_id, snapshot(tenant_id, now=now), now=now)
    cap = SpendCap.objects.filter(tenant_id=tenant_id).first()
    rows = [[
        found.unit or "–",
        major(Money(found.spent, found.unit)),
        "∞" if found.cap is None else major(Money(found.cap, found.unit)),
        "∞" if found.remaining is None else major(Money(found.remaining, found.unit)),
        cap.set_by if cap else "–",
        _moment(found.resets_at),
    ]]  # fmt: skip
    return _table(_("Use above the included"), headers, rows if found.is_of_use else [])


def _grants(tenant_id: UUID) -> Table:
    headers = [
        *(_("source"), _("plan"), _("priority"), _("limits"), _("features")),
        *(_("expires"), _("reason")),
    ]
    rows = [
        [
            grant.source,
            grant.plan or "–",
            grant.priority,
            ", ".join(
                [f"{meter} {_count(limit)}" for meter, limit in grant.limits.items()]
                + [f"{meter} +{_count(units)}" for meter, units in grant.adds.items()]
            ),
            ", ".join(grant.features),
            _moment(grant.expires_at),
            grant.reason or "–",
        ]
        for grant in Grant.objects.filter(tenant_id=tenant_id).order_by("-priority", "source")
    ]
    return _table(_("Grants"), headers, rows)


def refusals_table(tenant_id: UUID, *, most: int, request_id: str = "") -> Table:
    """The last refusals in words, the newest first; with `request_id`, of that request alone."""
    headers = [
        *(_("when"), _("request"), _("refused for"), _("rule"), _("decided by"), _("counter")),
        *(_("plan"), _("request id")),
    ]
    found = explanations.recent(tenant_id=tenant_id, of=None, most=most, request_id=request_id)
    rows = [
        [
            _moment(each.at),
            each.asked,
            each.title,
            each.rule,
            "; ".join([each.grant, *each.others]),
            each.counter or "–",
            each.plan or "–",
            each.request_id,
        ]
        for each in map(why, found)
    ]
    return _table(_("Refusals of the last days"), headers, rows)


def _members(tenant_id: UUID) -> Table:
    headers = [_("e-mail"), _("name"), _("role"), _("since")]
    rows = [
        [
            member.person.email,
            member.person.name or "–",
            member.get_role_display(),
            _moment(member.created_at),
        ]
        for member in members_of(tenant_id).order_by("created_at", "id")[:_MOST_MEMBERS]
    ]
    return _table(_("People"), headers, rows)


def _webhooks(tenant_id: UUID) -> Table:
    headers = [_("received"), _("provider"), _("kind"), _("state"), _("attempts")]
    events = WebhookEvent.objects.filter(tenant_id=tenant_id).order_by("-received_at")
    rows = [
        [
            _link(event),
            event.provider,
            event.kind,
            STATES[event.status],
            event.attempts,
        ]
        for event in events.defer("payload")[:_MOST_WEBHOOKS]
    ]
    return _table(_("Webhooks"), headers, rows)


def _link(event: WebhookEvent) -> str:
    address = reverse("console:billing_webhookevent_change", args=[event.pk])
    return format_html(
        '<a class="text-primary-600 dark:text-primary-500 underline" href="{}">{}</a>',
        address,
        _moment(event.received_at),
    )
