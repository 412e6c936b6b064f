"""Who of a tenant's used what, and what that was charged. Reachable also when everything else is refused."""

from datetime import timedelta

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.response import Response

from billing.books import charges, reading
from billing.cost_shapes import CostsIn, CostsOut
from billing.services.what_if import month_of
from config.api import View, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission


class Costs(View):
    """Use and charges by app, member, key or campaign."""

    needs = Needs(read=Permission.BILLING_READ, meter=None, critical=True)
    place = Place.SQUARE

    @extend_schema(operation_id="costs", parameters=[CostsIn], responses=CostsOut)
    def get(self, request: Request) -> Response:
        wish, tenant_id = parse(CostsIn, request.query_params), require_tenant().id
        if "invoice" in wish:
            found = reading.invoice_named(tenant_id=tenant_id, invoice_id=wish["invoice"])
            shares = charges.charged_on(found, by=wish["by"])
        else:
            now = timezone.now()
            start = month_of(wish.get("month") or f"{now:%Y-%m}", now=now)
            end = (start + timedelta(days=32)).replace(day=1)
            shares = charges.used_in_month(tenant_id=tenant_id, by=wish["by"], start=start, end=end)
        return Response(CostsOut({"by": wish["by"], "results": shares}).data)
