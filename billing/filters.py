"""What a tenant's invoices and credit can be narrowed by."""

from billing.models import CreditMovement, Invoice
from config.filters import StrictFilterSet

_MOMENT = ["gte", "gt", "lte", "lt"]


class InvoiceFilter(StrictFilterSet):
    class Meta:
        model = Invoice
        fields = {
            "status": ["exact"],
            "kind": ["exact"],
            "currency": ["exact"],
            "issued_at": _MOMENT,
        }


class CreditMovementFilter(StrictFilterSet):
    class Meta:
        model = CreditMovement
        fields = {"reason": ["exact"], "currency": ["exact"], "made_at": _MOMENT}
