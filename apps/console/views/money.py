"""Money: subscriptions, and the inbox of webhooks with its replay."""

import json
from typing import Any

from django.contrib.admin import register
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.html import format_html
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.states import TONES, shown
from apps.console.views.confirmation import Act, confirmed
from apps.console.views.read_only import ReadOnlyAdmin, button, column, plain, row_or_404
from apps.console.views.site import site
from billing.models import Subscription, WebhookEvent
from billing.services import webhooks
from tenants.models import Tenant


@register(Subscription, site=site)
class SubscriptionAdmin(ReadOnlyAdmin):
    owner = plain("tenant", _("tenant"))
    chosen = plain("plan", _("plan"))
    wanted = plain("pending_plan", _("asked for"))
    collector = plain("provider", _("provider"))
    customer = plain("provider_customer_id", _("customer"))
    agreement = plain("provider_subscription_id", _("agreement"))
    trial = plain("trial_ends_at", _("trial ends"))
    period = plain("period_ends_at", _("period ends"))
    grace = plain("grace_ends_at", _("grace ends"))
    list_display = ("owner", "chosen", "state", "collector", "trial", "period")
    fields = (
        ("owner", "state"),
        ("chosen", "wanted"),
        ("trial", "period"),
        ("grace", "collector"),
        "customer",
        "agreement",
    )
    readonly_fields = (*list_display, "wanted", "grace", "customer", "agreement")
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
    received = plain("received_at", _("received"))
    sender = plain("provider", _("provider"))
    what = plain("kind", _("kind"))
    tries = plain("attempts", _("attempts"))
    trouble = plain("error", _("error"))
    event_id = plain("provider_event_id", _("event"))
    about = plain("subscription_ref", _("agreement"))
    handled = plain("handled_at", _("handled"))
    following = plain("next_attempt_at", _("next attempt"))
    list_display = ("received", "sender", "what", "state", "tenant", "tries", "trouble")
    list_filter = ("status", "provider")
    search_fields = ("provider_event_id", "kind", "subscription_ref")
    ordering = ("-received_at",)
    fields = (
        ("sender", "what"),
        ("state", "tries"),
        ("received", "handled"),
        ("following", "tenant"),
        "event_id",
        "about",
        "trouble",
        "body",
    )
    readonly_fields = (*list_display, "event_id", "about", "handled", "following", "body")
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
        event = row_or_404(WebhookEvent, object_id)
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
