"""`/segments`: rules, lists, counts, snapshots. Who is in one: `/contacts?segment=<id>`."""

from typing import cast
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.crm.filters import SegmentFilter
from apps.crm.models import Segment
from apps.crm.serializers.segments import (
    CountOut,
    MembersIn,
    MovedOut,
    RuleIn,
    SegmentDetailOut,
    SegmentIn,
    SegmentOut,
    SnapshotIn,
)
from apps.crm.services.segments import definitions
from apps.crm.services.segments.definitions import SegmentValues
from config.api import View, ViewSet, parse
from config.needs import Feature, Needs, Permission
from config.serializers import parse_changes


class SegmentViewSet(mixins.ListModelMixin, ViewSet):
    """Contacts that fit a rule, kept as they change; and lists made by hand."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.CONTACTS_READ,
        write=Permission.CONTACTS_WRITE,
        delete=Permission.CONTACTS_DELETE,
    )
    queryset = Segment.objects.all()
    serializer_class = SegmentOut
    filterset_class = SegmentFilter
    ordering_fields = ("-id", "name")
    lookup_value_converter = "uuid"

    @extend_schema(responses=SegmentDetailOut)
    def retrieve(self, request: Request, pk: UUID) -> Response:
        segment = self.get_object()
        context = {"count": definitions.size_of(segment.pk)}
        return Response(SegmentDetailOut(segment, context=context).data)

    @extend_schema(request=SegmentIn, responses={201: SegmentOut})
    def create(self, request: Request) -> Response:
        """Add a segment. Everybody is looked at for its rule afterwards, until `filled_at` says when."""
        values = cast("SegmentValues", parse(SegmentIn, request.data))
        segment = definitions.create(values=values, now=timezone.now())
        return Response(SegmentOut(segment).data, status=201)

    @extend_schema(request=SegmentIn, responses=SegmentOut)
    def update(self, request: Request, pk: UUID) -> Response:
        """Make the segment what the body says."""
        values = cast("SegmentValues", {"external_id": None, **parse(SegmentIn, request.data)})
        segment = definitions.change(segment_id=pk, values=values, now=timezone.now())
        return Response(SegmentOut(segment).data)

    @extend_schema(request=SegmentIn, responses=SegmentOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        values = cast("SegmentValues", parse_changes(SegmentIn, request.data))
        segment = definitions.change(segment_id=pk, values=values, now=timezone.now())
        return Response(SegmentOut(segment).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        """Delete the segment; its contacts stay."""
        definitions.delete(segment_id=pk)
        return Response(status=204)

    @extend_schema(request=MembersIn, responses=MovedOut)
    @action(detail=True, methods=["post"])
    def members(self, request: Request, pk: UUID) -> Response:
        """Put contacts into a static list and take others out, up to 1,000 each."""
        wish = parse(MembersIn, request.data)
        came, went = definitions.put(
            segment_id=pk, add=set(wish["add"]), remove=set(wish["remove"]), now=timezone.now()
        )
        return Response({"added": came, "removed": went})

    @extend_schema(request=SnapshotIn, responses={201: SegmentOut})
    @action(detail=True, methods=["post"])
    def snapshot(self, request: Request, pk: UUID) -> Response:
        """A static list of who is in it at this moment."""
        name = parse(SnapshotIn, request.data)["name"]
        copy = definitions.snapshot(segment_id=pk, name=name, now=timezone.now())
        return Response(SegmentOut(copy).data, status=201)


class SegmentCount(View):
    """How many contacts fit a rule, while it is written."""

    needs = Needs(
        feature=Feature.CRM,
        read=Permission.CONTACTS_READ,
        write=Permission.CONTACTS_READ,
        cost=2,
    )

    @extend_schema(request=RuleIn, responses=CountOut)
    def post(self, request: Request) -> Response:
        rule = parse(RuleIn, request.data)["rule"]
        return Response({"count": definitions.count_of(rule=rule, now=timezone.now())})
