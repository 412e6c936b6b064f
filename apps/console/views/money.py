"""Money: subscriptions, and the inbox of webhooks with its replay."""

import json
from typing import Any

from django.contrib.admin import register
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.states import TONES, shown
from apps.console.views.confirmation import Act, confirmed
from apps.console.views.read_only import ReadOnlyAdmin, button, column
from apps.console.views.site import site
from billing.models import Subscription, WebhookEvent
from billing.services import webhooks
from tenants.models import Tenant


@register(Subscription, site=site)
class SubscriptionAdmin(ReadOnlyAdmin):
    list_display = ("tenant", "plan", "state", "provider", "trial_ends_at", "period_ends_at")
    list_select_related = ("tenant",)
    list_filter = ("status", "plan", "provider")
    search_fields = (
        "tenant__slug",
        "tenant__organisation",
        "provider_customer_id",
        "provider_subscription_id",
    )
    ordering = ("-updated_at",)

    @column(_("state"), ordering="status", label=TONES)
    def state(self, row: Subscription) -> tuple[str, str]:
        return shown(row.status)


@register(WebhookEvent, site=site)
class WebhookEventAdmin(ReadOnlyAdmin):
    list_display = ("received_at", "provider", "kind", "state", "tenant", "attempts", "error")
    list_filter = ("status", "provider")
    search_fields = ("provider_event_id", "kind", "subscription_ref")
    ordering = ("-received_at",)
    fields = (
        ("provider", "provider_event_id"),
        ("kind", "subscription_ref"),
        ("status", "attempts"),
        ("received_at", "handled_at"),
        ("next_attempt_at", "tenant"),
        "error",
        "body",
    )
    readonly_fields = ("tenant", "body")
    actions_detail = ("replay",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[WebhookEvent]:
        rows: QuerySet[WebhookEvent] = super().get_queryset(request)
        slug = Tenant.objects.filter(pk=OuterRef("tenant_id")).values("slug")[:1]
        return rows.annotate(tenant_slug=Subquery(slug))

    @column(_("state"), ordering="status", label=TONES)
    def state(self, event: WebhookEvent) -> tuple[str, str]:
        return shown(event.status)

    @column(_("tenant"), ordering="tenant_slug")
    def tenant(self, event: Any) -> str:
        return event.tenant_slug or "–"

    @column(_("body"))
    def body(self, event: WebhookEvent) -> str:
        return format_html(
            '<pre class="overflow-x-auto text-xs">{}</pre>',
            json.dumps(event.payload, indent=2, ensure_ascii=False),
        )

    @button(_("Replay"), path="replay", variant=ActionVariant.PRIMARY)
    def replay(self, request: HttpRequest, object_id: str) -> HttpResponse:
        event = get_object_or_404(WebhookEvent, pk=object_id)
        act = Act(
            title=_("Replay this webhook"),
            consequence=_(
                "It is handled once more, as if it had just come: the provider is asked anew."
            ),
            do=lambda _reason: webhooks.replay(event_id=event.pk, now=timezone.now()),
            done=_("The webhook is handled again."),
            back=reverse("console:billing_webhookevent_change", args=[event.pk]),
        )
        return confirmed(self, request, event, act)
