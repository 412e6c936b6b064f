"""Tenants: what each has, uses and pays, at a glance; suspend and resume, close and restore."""

from typing import Any
from uuid import UUID

from django.conf import settings
from django.contrib.admin import register
from django.db.models import IntegerField, OuterRef, Q, QuerySet, Subquery
from django.db.models.fields.json import KeyTextTransform
from django.db.models.functions import Cast
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import number_format
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext_lazy
from unfold.enums import ActionVariant

from apps.console.states import STATES, TONES, shown
from apps.console.tenant_page import facts_of
from apps.console.views.confirmation import Act, confirmed
from apps.console.views.looks import LOOKS, TenantLooks
from apps.console.views.overrides import OverrideActs
from apps.console.views.read_only import ReadOnlyAdmin, button, column, plain, row_or_404
from apps.console.views.site import site
from billing.services import offboarding
from config.needs import Meter
from quotas.meters import period_start
from quotas.models import Grant, UsageTotal
from tenants import life, services
from tenants.models import Tenant

_SPACE = "\N{NO-BREAK SPACE}"
_Status = Tenant.Status
# What each state leaves to an operator. Erasing is left to the clock, and to the command line.
_ACTS: dict[str, frozenset[str]] = {
    _Status.ACTIVE.value: frozenset({"suspend", "close", "override", "end-override"}),
    _Status.SUSPENDED.value: frozenset({"resume", "close", "override", "end-override"}),
    _Status.CLOSING.value: frozenset({"restore"}),
}


def _used(meter: Meter) -> Subquery:
    """What the tenant has used of a meter without billing periods in the present one, as a column."""
    rows = UsageTotal.objects.filter(
        tenant_id=OuterRef("pk"),
        meter=meter.value,
        period_start=period_start(meter, timezone.now()),
    )
    return Subquery(rows.values("used")[:1])


def _limit(meter: Meter) -> Subquery:
    """The allowance of the grant that decides, as a column; null is unlimited."""
    in_force = Q(expires_at=None) | Q(expires_at__gt=timezone.now())
    rows = Grant.objects.filter(in_force, tenant_id=OuterRef("pk"), limits__has_key=meter.value)
    limit = Cast(KeyTextTransform(meter.value, "limits"), IntegerField())
    return Subquery(rows.order_by("-priority").annotate(limit=limit).values("limit")[:1])


@register(Tenant, site=site)
class TenantAdmin(TenantLooks, OverrideActs, ReadOnlyAdmin):
    name = plain("slug", _("name"))
    owner = plain("organisation", _("organisation"))
    why = plain("suspended_reason", _("reason"))
    language = plain("locale", _("language"))
    demo = plain("is_demo", _("demo"), boolean=True)
    schema = plain("schema_name", _("schema"))
    begun = plain("created_at", _("since"))
    ending = plain("closing_reason", _("reason of the closing"))
    erased = plain("erase_after", _("erased after"))
    version = plain("schema_version", _("schema's version"))
    trouble = plain("migration_error", _("migration's error"))
    list_display = (
        "name",
        "owner",
        "state",
        "plan",
        "contacts",
        "api_calls",
        "people",
        "begun",
    )
    list_filter = (
        "status",
        "subscription__plan",
        "subscription__status",
        "migration_state",
        "is_demo",
    )
    search_fields = ("slug", "organisation", "domains__domain")
    ordering = ("-created_at",)
    fields = (
        ("name", "owner"),
        ("state_told", "why"),
        ("ending", "erased"),
        ("language", "demo"),
        ("plan", "begun"),
        "id",
        "schema",
        ("version", "migration_told"),
        "trouble",
    )
    readonly_fields = (
        *(*list_display, "why", "ending", "erased", "language", "demo"),
        *("schema", "id", "version", "state_told", "migration_told", "trouble"),
    )
    actions_detail = (
        *("suspend", "resume", "close", "restore", "override", "end_override"),
        *LOOKS,
    )
    change_form_outer_after_template = "console/tenant.html"

    def get_queryset(self, request: HttpRequest) -> QuerySet[Tenant]:
        rows: QuerySet[Tenant] = super().get_queryset(request)
        counted: QuerySet[Tenant] = rows.select_related("subscription").annotate(
            contacts_used=_used(Meter.CONTACTS),
            contacts_limit=_limit(Meter.CONTACTS),
            api_calls_used=_used(Meter.API_CALLS),
            seats_used=_used(Meter.SEATS),
        )
        return counted

    @column(_("state"), ordering="status", label=TONES)
    def state(self, tenant: Tenant) -> tuple[str, str]:
        return shown(tenant.status)

    # On a tenant's own page there are no coloured labels: the words alone.
    @column(_("state"))
    def state_told(self, tenant: Tenant) -> str:
        return str(shown(tenant.status)[1])

    @column(_("migration"))
    def migration_told(self, tenant: Tenant) -> str:
        return str(shown(tenant.migration_state)[1])

    @column(_("plan"), ordering="subscription__plan")
    def plan(self, tenant: Tenant) -> str:
        subscription = getattr(tenant, "subscription", None)
        if subscription is None:
            return "–"
        return _SPACE.join([subscription.plan, "·", str(STATES[subscription.status])])

    @column(_("contacts"), ordering="contacts_used")
    def contacts(self, tenant: Any) -> str:
        limit = tenant.contacts_limit
        allowed = "∞" if limit is None else _count(limit)
        return _SPACE.join([_count(tenant.contacts_used), "/", allowed])

    @column(_("API calls this month"), ordering="api_calls_used")
    def api_calls(self, tenant: Any) -> str:
        return _count(tenant.api_calls_used)

    @column(_("people"), ordering="seats_used")
    def people(self, tenant: Any) -> str:
        return _count(tenant.seats_used)

    def get_actions_detail(self, request: HttpRequest, object_id: str) -> list[Any]:
        """Only the acts that the tenant's state leaves, and what may always be looked at."""
        fitting = _ACTS.get(row_or_404(Tenant, object_id).status, frozenset()) | set(LOOKS)
        found: list[Any] = super().get_actions_detail(request, object_id)
        return [act for act in found if act.path in fitting]

    def change_view(
        self,
        request: HttpRequest,
        object_id: str,
        form_url: str = "",
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        facts = {**(extra_context or {}), "tenant_facts": facts_of(object_id, now=timezone.now())}
        answer: HttpResponse = super().change_view(request, object_id, form_url, facts)
        return answer

    @button(_("Suspend"), path="suspend", variant=ActionVariant.DANGER)
    def suspend(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("Suspend this tenant"),
            consequence=_(
                "Its people and programs are refused from the next request on, but for their plan."
            ),
            do=lambda reason: services.suspend(tenant_id=tenant.pk, reason=reason),
            done=_("The tenant is suspended."),
            back=_page_of(tenant.pk),
        )
        return confirmed(self, request, tenant, act)

    @button(_("Resume"), path="resume", variant=ActionVariant.SUCCESS)
    def resume(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("Resume this tenant"),
            consequence=_("Its people and programs may work again from the next request on."),
            do=lambda _reason: services.resume(tenant_id=tenant.pk),
            done=_("The tenant works again."),
            back=_page_of(tenant.pk),
        )
        return confirmed(self, request, tenant, act)

    @button(_("Close"), path="close", variant=ActionVariant.DANGER)
    def close(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("Close this tenant"),
            consequence=ngettext_lazy(
                "Its work ends with this request, and a paid subscription with its period. It can be"
                " restored for %(days)d day; then it is erased for good.",
                "Its work ends with this request, and a paid subscription with its period. It can be"
                " restored for %(days)d days; then it is erased for good.",
                "days",
            )
            % {"days": settings.PLAZA_CLOSING_DAYS},
            do=lambda reason: offboarding.close(
                tenant_id=tenant.pk, reason=reason, by=_by(request), now=timezone.now()
            ),
            done=_("The tenant is closed."),
            back=_page_of(tenant.pk),
        )
        return confirmed(self, request, tenant, act)

    @button(_("Restore"), path="restore", variant=ActionVariant.SUCCESS)
    def restore(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("Restore this tenant"),
            consequence=_(
                "It is again as it was before it was closed; a paid plan that has ended is bought anew."
            ),
            do=lambda _reason: life.restore(
                tenant_id=tenant.pk, by=_by(request), now=timezone.now()
            ),
            done=_("The tenant is restored."),
            back=_page_of(tenant.pk),
        )
        return confirmed(self, request, tenant, act)


def _by(request: HttpRequest) -> str:
    """Who does it, for the log: an operator's id."""
    return str(request.user.pk)


def _page_of(tenant_id: UUID) -> str:
    return reverse("console:tenants_tenant_change", args=[tenant_id])


def _count(value: int | None) -> str:
    return str(number_format(value or 0, use_l10n=True, force_grouping=True))
