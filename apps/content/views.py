"""`/briefs`, `/templates`, `/pieces`, `/content/generate`: parse, one call, answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.content.filters import BriefFilter, PieceFilter, TemplateFilter
from apps.content.models import Brief, Kind, Piece, Template
from apps.content.serializers import (
    BriefIn,
    BriefOut,
    GenerateIn,
    GenerateOut,
    PieceChange,
    PieceIn,
    PieceOut,
    PreviewIn,
    PreviewOut,
    ReviewIn,
    TemplateIn,
    TemplateOut,
)
from apps.content.services import briefs, generation, pieces, review, templates
from apps.content.services.generation import Wish
from apps.content.services.review import Verb
from config.api import View, ViewSet, parse, run_batch
from config.needs import Feature, Needs, Permission, RateClass
from config.serializers import BatchOut, batch_of, parse_changes
from tenants.identity.caller import caller_of

_CONTENT = Needs(
    feature=Feature.CONTENT,
    read=Permission.CONTENT_READ,
    write=Permission.CONTENT_WRITE,
    delete=Permission.CONTENT_DELETE,
)
_GENERATION = Needs(
    feature=Feature.CONTENT, write=Permission.CONTENT_WRITE, rate=RateClass.CONTENT_GENERATE
)
_REVIEW = Needs(feature=Feature.CONTENT, write=Permission.CONTENT_REVIEW)


class BriefViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """What is to be said. Approval is a verb of its own (`/briefs/{id}/approve`)."""

    needs = _CONTENT
    queryset = Brief.objects.all()
    serializer_class = BriefOut
    filterset_class = BriefFilter
    ordering_fields = ("-id", "created_at", "updated_at")
    lookup_value_converter = "uuid"

    @extend_schema(request=BriefIn, responses={201: BriefOut})
    def create(self, request: Request) -> Response:
        return Response(BriefOut(_new_brief(request, request.data)).data, status=201)

    @extend_schema(request=batch_of(BriefIn), responses={207: BatchOut})
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        return run_batch(request.data, lambda item: (201, str(_new_brief(request, item).pk)))

    @extend_schema(request=BriefIn, responses=BriefOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        changes = parse_changes(BriefIn, request.data)
        brief = briefs.edit(brief_id=pk, changes=changes, now=timezone.now())
        return Response(BriefOut(brief).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        briefs.remove(brief_id=pk)
        return Response(status=204)


class TemplateViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Texts with `{{ variables }}`, checked when they are written."""

    needs = _CONTENT
    queryset = Template.objects.all()
    serializer_class = TemplateOut
    filterset_class = TemplateFilter
    ordering_fields = ("-id", "created_at", "updated_at", "name")
    lookup_value_converter = "uuid"

    @extend_schema(request=TemplateIn, responses={201: TemplateOut})
    def create(self, request: Request) -> Response:
        return Response(TemplateOut(_new_template(request, request.data)).data, status=201)

    @extend_schema(request=batch_of(TemplateIn), responses={207: BatchOut})
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        return run_batch(request.data, lambda item: (201, str(_new_template(request, item).pk)))

    @extend_schema(request=TemplateIn, responses=TemplateOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        changes = parse_changes(TemplateIn, request.data)
        template = templates.edit(template_id=pk, changes=changes, now=timezone.now())
        return Response(TemplateOut(template).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        templates.remove(template_id=pk)
        return Response(status=204)

    @extend_schema(request=PreviewIn, responses=PreviewOut)
    @action(detail=True, methods=["post"])
    def preview(self, request: Request, pk: UUID) -> Response:
        """Put values in place and answer the texts; nothing is kept."""
        wish = parse(PreviewIn, request.data)
        made = templates.preview(template=self.get_object(), values=wish.get("values", {}))
        return Response(PreviewOut(made).data)


class PieceViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Finished texts. Approval is a verb of its own (`/pieces/{id}/approve`)."""

    needs = _CONTENT
    queryset = Piece.objects.all()
    serializer_class = PieceOut
    filterset_class = PieceFilter
    ordering_fields = ("-id", "created_at", "updated_at")
    lookup_value_converter = "uuid"

    @extend_schema(request=PieceIn, responses={201: PieceOut})
    def create(self, request: Request) -> Response:
        return Response(PieceOut(_new_piece(request, request.data)).data, status=201)

    @extend_schema(request=batch_of(PieceIn), responses={207: BatchOut})
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        return run_batch(request.data, lambda item: (201, str(_new_piece(request, item).pk)))

    @extend_schema(request=PieceChange, responses=PieceOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        changes = parse_changes(PieceChange, request.data)
        version = changes.pop("version", None)
        piece = pieces.edit(piece_id=pk, changes=changes, version=version, now=timezone.now())
        return Response(PieceOut(piece).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        pieces.remove(piece_id=pk)
        return Response(status=204)


class ReviewBrief(View):
    """Move a brief by the verb at the end of its address."""

    needs = _REVIEW
    verb = Verb.APPROVE

    @extend_schema(request=ReviewIn, responses=BriefOut)
    def post(self, request: Request, pk: UUID) -> Response:
        parse(ReviewIn, request.data)
        brief = review.move(
            model=Brief,
            pk=pk,
            verb=self.verb,
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return Response(BriefOut(brief).data)


class ReviewPiece(View):
    """Move a piece by the verb at the end of its address."""

    needs = _REVIEW
    verb = Verb.APPROVE

    @extend_schema(request=ReviewIn, responses=PieceOut)
    def post(self, request: Request, pk: UUID) -> Response:
        parse(ReviewIn, request.data)
        piece = review.move(
            model=Piece,
            pk=pk,
            verb=self.verb,
            by_id=caller_of(request).person_id,
            now=timezone.now(),
        )
        return Response(PieceOut(piece).data)


class Generate(View):
    """Have a text written; it is kept as a draft piece."""

    needs = _GENERATION

    @extend_schema(request=GenerateIn, responses={201: GenerateOut})
    def post(self, request: Request) -> Response:
        asked = parse(GenerateIn, request.data)
        wish = Wish(kind=Kind(asked.pop("type")), **asked)
        made = generation.generate(
            wish=wish, by_id=caller_of(request).person_id, now=timezone.now()
        )
        return Response(GenerateOut(made).data, status=201)


def _new_brief(request: Request, data: Any) -> Brief:
    fields = parse(BriefIn, data)
    return briefs.create(fields=fields, by_id=caller_of(request).person_id, now=timezone.now())


def _new_template(request: Request, data: Any) -> Template:
    fields = parse(TemplateIn, data)
    return templates.create(fields=fields, by_id=caller_of(request).person_id, now=timezone.now())


def _new_piece(request: Request, data: Any) -> Piece:
    fields = parse(PieceIn, data)
    return pieces.create(fields=fields, by_id=caller_of(request).person_id, now=timezone.now())
