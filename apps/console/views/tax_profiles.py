"""Who is billed, as tenants state it; an operator says that a tax id is the buyer's own."""

from django.contrib.admin import register
from django.db.models import OuterRef, QuerySet, Subquery
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from unfold.enums import ActionVariant

from apps.console.views.confirmation import Act, confirmed
from apps.console.views.read_only import ReadOnlyAdmin, button, column, plain, row_or_404
from apps.console.views.site import site
from billing.books.buyers import verify_tax_id
from billing.models import TaxProfile
from tenants.models import Tenant


@register(TaxProfile, site=site)
class TaxProfileAdmin(ReadOnlyAdmin):
    buyer = plain("name", _("name"))
    place = plain("country", _("country"))
    identity = plain("tax_id", _("tax id"))
    verified = plain("tax_id_verified_at", _("verified"))
    list_display = ("tenant", "buyer", "place", "identity", "verified")
    fields = (("tenant", "buyer"), ("place", "identity"), "verified")
    readonly_fields = list_display
    list_filter = ("country",)
    search_fields = ("name", "tax_id")
    ordering = ("name",)
    actions_detail = ("verify",)

    def get_queryset(self, request: HttpRequest) -> QuerySet[TaxProfile]:
        rows: QuerySet[TaxProfile] = super().get_queryset(request)
        slug = Tenant.objects.filter(pk=OuterRef("tenant_id")).values("slug")[:1]
        return rows.annotate(tenant_slug=Subquery(slug))

    @column(_("tenant"), ordering="tenant_slug")
    def tenant(self, row: TaxProfile) -> str:
        return str(getattr(row, "tenant_slug", "") or "–")

    @button(_("Tax id is verified"), path="verify", variant=ActionVariant.PRIMARY)
    def verify(self, request: HttpRequest, object_id: str) -> HttpResponse:
        row = row_or_404(TaxProfile, object_id)
        act = Act(
            title=_("Say that this tax id is the buyer's own"),
            consequence=_("From the next invoice on it counts for taxes, as for a reverse charge."),
            do=lambda reason: verify_tax_id(
                tenant_id=row.pk, tax_id=row.tax_id, by=reason, now=timezone.now()
            ),
            done=_("The tax id counts."),
            back=reverse("console:billing_taxprofile_change", args=[row.pk]),
        )
        return confirmed(self, request, row, act)
