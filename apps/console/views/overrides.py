"""Overrides of a tenant's plan: one meter's limit until a day, with a reason; and their end before it."""

from datetime import UTC, datetime, time, timedelta
from typing import Any
from uuid import UUID

from django import forms
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminSingleDateWidget,
)

from apps.console.views.confirmation import Act, ReasonForm, confirmed
from apps.console.views.read_only import button, row_or_404
from billing.services import extras
from billing.services.extras import Extra, Source
from config.needs import Meter
from quotas.models import Grant
from tenants.models import Tenant


class OverrideForm(ReasonForm):
    meter = forms.ChoiceField(
        label=_("Meter"),
        choices=[(meter.value, meter.value) for meter in Meter],
        widget=UnfoldAdminSelectWidget(),
    )
    limit = forms.IntegerField(
        label=_("Limit"),
        required=False,
        min_value=0,
        max_value=2**62,
        help_text=_("Left empty, the meter is unlimited."),
        widget=UnfoldAdminIntegerFieldWidget(),
    )
    last_day = forms.DateField(
        label=_("Last day (UTC)"), widget=UnfoldAdminSingleDateWidget(attrs={"type": "date"})
    )
    field_order = ("meter", "limit", "last_day", "reason")

    def wish(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


class EndForm(ReasonForm):
    """Asks which of the tenant's overrides."""

    key = forms.ChoiceField(label=_("Override"), widget=UnfoldAdminSelectWidget())
    field_order = ("key", "reason")

    def __init__(self, data: Any, *, tenant_id: UUID) -> None:
        super().__init__(data)
        field: Any = self.fields["key"]
        field.choices = [(key, key) for key in overrides_of(tenant_id)]

    def wish(self) -> dict[str, Any]:
        return dict(self.cleaned_data)


def overrides_of(tenant_id: UUID) -> list[str]:
    """The keys of the tenant's overrides; those that operators give are named by their meter."""
    prefix = f"{Source.OVERRIDE}:"
    rows = Grant.objects.filter(tenant_id=tenant_id, source__startswith=prefix)
    return [
        name.removeprefix(prefix)
        for name in rows.order_by("source").values_list("source", flat=True)
    ]


class OverrideActs:
    """Two buttons of a tenant's page."""

    @button(_("Override a limit"), path="override", variant=ActionVariant.PRIMARY)
    def override(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("Override a limit"),
            consequence=_(
                "It is the meter's limit from the next request on, whatever the plan says."
            ),
            do=lambda wish: _override(tenant.pk, wish, by=_by(request), now=timezone.now()),
            done=_("The limit is overridden."),
            back=_page_of(tenant.pk),
            form=OverrideForm,
        )
        return confirmed(self, request, tenant, act)

    @button(_("End an override"), path="end-override", variant=ActionVariant.DEFAULT)
    def end_override(self, request: HttpRequest, object_id: str) -> HttpResponse:
        tenant = row_or_404(Tenant, object_id)
        act = Act(
            title=_("End an override"),
            consequence=_("What the plan says holds again from the next request on."),
            do=lambda wish: extras.withdraw(
                tenant_id=tenant.pk, source=Source.OVERRIDE, by=_by(request), **wish
            ),
            done=_("The override is ended."),
            back=_page_of(tenant.pk),
            form=lambda data: EndForm(data, tenant_id=tenant.pk),
        )
        return confirmed(self, request, tenant, act)


def _override(tenant_id: UUID, wish: dict[str, Any], *, by: str, now: datetime) -> None:
    meter = Meter(wish["meter"])
    extras.give(
        tenant_id=tenant_id,
        extra=Extra(Source.OVERRIDE, meter.value, limits={meter: wish["limit"]}),
        by=by,
        reason=wish["reason"],
        expires_at=datetime.combine(wish["last_day"], time(), UTC) + timedelta(days=1),
        now=now,
    )


def _by(request: HttpRequest) -> str:
    return str(request.user.pk)


def _page_of(tenant_id: UUID) -> str:
    return reverse("console:tenants_tenant_change", args=[tenant_id])
