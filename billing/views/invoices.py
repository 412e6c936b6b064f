"""A tenant's invoices, its credit and who is billed. Reachable also when everything else is refused."""

from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.http import HttpResponse
from django.utils import timezone
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import mixins
from rest_framework.renderers import BaseRenderer, JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from billing import books
from billing.book_shapes import (
    CreditMovementOut,
    InvoiceDetailOut,
    InvoiceOut,
    TaxProfileIn,
    TaxProfileOut,
)
from billing.books import paper, reading
from billing.books.buyers import state_tax_profile, tax_profile_of
from billing.filters import CreditMovementFilter, InvoiceFilter
from billing.models import CreditMovement, Invoice
from config.api import View, ViewSet, parse
from config.context import Place, require_tenant
from config.needs import Needs, Permission

# Only who deals with the tenant's money, and also while the tenant is held for not paying.
NEEDS = Needs(
    read=Permission.BILLING_READ, write=Permission.BILLING_WRITE, meter=None, critical=True
)
_LANGUAGE = OpenApiParameter("language", str, enum=list(paper.LANGUAGES))


class PdfRenderer(BaseRenderer):
    """Lets a client ask for application/pdf; the view answers the file itself, refusals stay problem+json."""

    media_type = "application/pdf"
    format = "pdf"

    def render(
        self, data: Any, accepted_media_type: str | None = None, renderer_context: Any = None
    ) -> bytes:
        return JSONRenderer().render(data)


class Invoices(mixins.ListModelMixin, ViewSet):
    """The tenant's invoices, the newest first."""

    needs = NEEDS
    place = Place.SQUARE
    queryset = Invoice.objects.none()
    serializer_class = InvoiceOut
    filterset_class = InvoiceFilter
    ordering_fields = ("-id", "issued_at")

    def get_queryset(self) -> QuerySet[Invoice]:
        return reading.invoices_of(require_tenant().id)


class InvoiceDetail(View):
    """One invoice as it was issued, with its lines, and what has settled it."""

    needs = NEEDS
    place = Place.SQUARE

    @extend_schema(operation_id="invoice", responses=InvoiceDetailOut)
    def get(self, request: Request, pk: UUID) -> Response:
        found = reading.invoice_named(tenant_id=require_tenant().id, invoice_id=pk)
        return Response(InvoiceDetailOut(found).data)


class InvoicePdf(View):
    """The invoice on paper, in the language of its issue or in `?language=`. It is no fiscal document."""

    needs = NEEDS
    place = Place.SQUARE
    renderer_classes = (JSONRenderer, PdfRenderer)

    @extend_schema(
        operation_id="invoice_pdf",
        parameters=[_LANGUAGE],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        found = reading.invoice_named(tenant_id=require_tenant().id, invoice_id=pk)
        language = paper.language_of(found, request.query_params.get("language", ""))
        return _file(found.reference, paper.invoice_pdf(found, language=language))


class CreditNotePdf(View):
    """A credit note on paper, likewise."""

    needs = NEEDS
    place = Place.SQUARE
    renderer_classes = (JSONRenderer, PdfRenderer)

    @extend_schema(
        operation_id="credit_note_pdf",
        parameters=[_LANGUAGE],
        responses={(200, "application/pdf"): OpenApiTypes.BINARY},
    )
    def get(self, request: Request, pk: UUID) -> HttpResponse:
        found = reading.credit_note_named(tenant_id=require_tenant().id, credit_note_id=pk)
        language = paper.language_of(found, request.query_params.get("language", ""))
        return _file(found.reference, paper.credit_note_pdf(found, language=language))


class Credits(mixins.ListModelMixin, ViewSet):
    """The customer's credit: `balances`, one for each currency that has any, and its movements, the newest first."""

    needs = NEEDS
    place = Place.SQUARE
    queryset = CreditMovement.objects.none()
    serializer_class = CreditMovementOut
    filterset_class = CreditMovementFilter
    ordering_fields = ("-id",)

    def get_queryset(self) -> QuerySet[CreditMovement]:
        return reading.movements_of(require_tenant().id)

    def get_paginated_response(self, data: Any) -> Response:
        answer = super().get_paginated_response(data)
        answer.data["balances"] = [
            {"amount": each.amount, "currency": each.currency}
            for each in books.balances(require_tenant().id)
        ]
        return answer


class TaxProfile(View):
    """Who is billed, from the next invoice on: name, address, country and tax id."""

    needs = NEEDS
    place = Place.SQUARE

    @extend_schema(operation_id="tax_profile", responses=TaxProfileOut)
    def get(self, request: Request) -> Response:
        return Response(TaxProfileOut(tax_profile_of(require_tenant().id)).data)

    @extend_schema(operation_id="tax_profile_put", request=TaxProfileIn, responses=TaxProfileOut)
    def put(self, request: Request) -> Response:
        wish = parse(TaxProfileIn, request.data)
        made = state_tax_profile(tenant_id=require_tenant().id, wish=wish, now=timezone.now())
        return Response(TaxProfileOut(made).data)


def _file(reference: str, body: bytes) -> HttpResponse:
    answer = HttpResponse(body, content_type="application/pdf")
    answer["Content-Disposition"] = f'inline; filename="{reference}.pdf"'
    answer["Cache-Control"] = "private, no-store"
    return answer
