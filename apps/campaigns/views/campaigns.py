"""`/campaigns`: parse, one call, answer."""

from typing import Any
from uuid import UUID

from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from apps.campaigns.filters import CampaignFilter
from apps.campaigns.models import Campaign
from apps.campaigns.serializers.campaigns import (
    CampaignIn,
    CampaignOut,
    MoveIn,
    ScheduleIn,
    StatusOut,
)
from apps.campaigns.services import campaigns, lifecycle
from apps.campaigns.services.campaigns import CampaignFields
from apps.campaigns.services.lifecycle import Verb
from config.api import View, ViewSet, parse, run_batch
from config.needs import Feature, Needs, Permission
from config.serializers import BatchOut, batch_of, parse_changes
from tenants.identity.caller import caller_of


class CampaignViewSet(mixins.ListModelMixin, mixins.RetrieveModelMixin, ViewSet):
    """Campaigns: a draft becomes scheduled or active by its verbs, never by a PATCH."""

    needs = Needs(
        feature=Feature.CAMPAIGNS,
        read=Permission.CAMPAIGNS_READ,
        write=Permission.CAMPAIGNS_WRITE,
        delete=Permission.CAMPAIGNS_DELETE,
    )
    queryset = Campaign.objects.all()
    serializer_class = CampaignOut
    filterset_class = CampaignFilter
    ordering_fields = ("-id", "created_at", "updated_at", "name")
    lookup_value_converter = "uuid"

    @extend_schema(request=CampaignIn, responses={201: CampaignOut})
    def create(self, request: Request) -> Response:
        return Response(CampaignOut(_made(request, request.data)).data, status=201)

    @extend_schema(request=batch_of(CampaignIn), responses={207: BatchOut})
    @action(detail=False, methods=["post"])
    def batch(self, request: Request) -> Response:
        """Make up to 1,000 drafts; each succeeds or fails alone."""
        return run_batch(request.data, lambda item: (201, str(_made(request, item).pk)))

    @extend_schema(request=CampaignIn, responses=CampaignOut)
    def partial_update(self, request: Request, pk: UUID) -> Response:
        campaign = campaigns.edit(
            campaign_id=pk, changes=parse_changes(CampaignIn, request.data), now=timezone.now()
        )
        return Response(CampaignOut(campaign).data)

    @extend_schema(responses={204: None})
    def destroy(self, request: Request, pk: UUID) -> Response:
        campaigns.remove(campaign_id=pk)
        return Response(status=204)


class CampaignStatus(View):
    """How a campaign stands."""

    needs = Needs(feature=Feature.CAMPAIGNS, read=Permission.CAMPAIGNS_READ)

    @extend_schema(responses=StatusOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(StatusOut(lifecycle.standing(campaign_id=pk)).data)


class ScheduleCampaign(View):
    """Promise a campaign's start."""

    needs = Needs(feature=Feature.CAMPAIGNS, write=Permission.CAMPAIGNS_SEND)

    @extend_schema(request=ScheduleIn, responses=CampaignOut)
    def post(self, request: Request, pk: UUID) -> Response:
        wish = parse(ScheduleIn, request.data)
        campaign = lifecycle.schedule(
            campaign_id=pk,
            starts_at=wish.get("starts_at"),
            by_id=caller_of(request).person_id,
            reason=wish.get("reason", ""),
            now=timezone.now(),
        )
        return Response(CampaignOut(campaign).data)


class MoveCampaign(View):
    """Change a campaign's state by the verb at the end of its address."""

    needs = Needs(feature=Feature.CAMPAIGNS, write=Permission.CAMPAIGNS_SEND)
    verb = Verb.ACTIVATE

    @extend_schema(request=MoveIn, responses=CampaignOut)
    def post(self, request: Request, pk: UUID) -> Response:
        wish = parse(MoveIn, request.data)
        campaign = lifecycle.move(
            campaign_id=pk,
            verb=self.verb,
            by_id=caller_of(request).person_id,
            reason=wish.get("reason", ""),
            now=timezone.now(),
        )
        return Response(CampaignOut(campaign).data)


def _made(request: Request, data: Any) -> Campaign:
    wish: Any = parse(CampaignIn, data)
    fields: CampaignFields = wish
    return campaigns.create(fields=fields, by_id=caller_of(request).person_id, now=timezone.now())
