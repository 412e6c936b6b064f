"""Invoices of every tenant, the erased ones' too; void, write off and take back, each with a reason."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from django.contrib.admin import register
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.functional import Promise
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.states import TONES, shown
from apps.console.views.confirmation import Act, confirmed
from apps.console.views.read_only import ReadOnlyAdmin, button, column, plain, row_or_404
from apps.console.views.site import site
from billing import books
from billing.books.wording import amount
from billing.models import Invoice
from billing.services import collecting
from tenants.models import Tenant

Do = Callable[[str], object]


@register(Invoice, site=site)
class InvoiceAdmin(ReadOnlyAdmin):
    printed = plain("reference", _("number"))
    sort = plain("kind", _("kind"))
    issued = plain("issued_at", _("issued"))
    settled = plain("settled_at", _("settled"))
    list_display = ("printed", "tenant", "state", "total", "due", "issued")
    fields = (("printed", "tenant"), ("state", "sort"), ("total", "due"), ("issued", "settled"))
    readonly_fields = (*list_display, "sort", "settled")
    list_filter = ("status", "kind", "currency")
    search_fields = ("reference",)
    ordering = ("-id",)
    actions_detail = ("void", "write_off", "take_back")

    def get_queryset(self, request: HttpRequest) -> QuerySet[Invoice]:
        rows: QuerySet[Invoice] = super().get_queryset(request)
        slug = Tenant.objects.filter(pk=OuterRef("tenant_id")).values("slug")[:1]
        return rows.annotate(tenant_slug=Subquery(slug))

    @column(_("state"), ordering="status", label=TONES)
    def state(self, row: Invoice) -> tuple[str, str]:
        return shown(row.status)

    @column(_("tenant"), ordering="tenant_slug")
    def tenant(self, row: Any) -> str:
        return str(row.tenant_slug or row.buyer["name"])

    @column(_("total"), ordering="total_minor")
    def total(self, row: Invoice) -> str:
        return amount(row.total_minor, row.currency)

    @column(_("to be paid"))
    def due(self, row: Invoice) -> str:
        return amount(row.amount_due.amount, row.currency)

    @button(_("Void"), path="void", variant=ActionVariant.DANGER)
    def void(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(reason: str) -> None:
            collecting.void(invoice_id=UUID(object_id), reason=reason, now=timezone.now())

        words = _("Void this invoice"), _("Nobody pays it; its number stays."), _("It is void.")
        return self._confirmed(request, object_id, words, do)

    @button(_("Write off"), path="write-off", variant=ActionVariant.DANGER)
    def write_off(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(reason: str) -> None:
            books.write_off(invoice_id=UUID(object_id), reason=reason, now=timezone.now())

        words = (
            _("Write this invoice off"),
            _("What is due is given up; a payment that comes after all recovers it."),
            _("It is written off."),
        )
        return self._confirmed(request, object_id, words, do)

    @button(_("Take back"), path="take-back", variant=ActionVariant.DANGER)
    def take_back(self, request: HttpRequest, object_id: str) -> HttpResponse:
        def do(reason: str) -> None:
            key = f"console:{object_id}"
            books.credit_note(
                invoice_id=UUID(object_id), reason=reason, key=key, now=timezone.now()
            )

        words = (
            _("Take this invoice back"),
            _("A credit note for all that is left of it; what was paid becomes credit."),
            _("The credit note is issued."),
        )
        return self._confirmed(request, object_id, words, do)

    def _confirmed(
        self, request: HttpRequest, object_id: str, words: tuple[Promise, Promise, Promise], do: Do
    ) -> HttpResponse:
        invoice = row_or_404(Invoice, object_id)
        title, consequence, done = words
        back = reverse("console:billing_invoice_change", args=[invoice.pk])
        act = Act(title=title, consequence=consequence, do=do, done=done, back=back)
        return confirmed(self, request, invoice, act)
