"""`/campaigns/{id}/letter`, `/mailing`, `/audience` and `/recipients`: parse, one call, answer."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from django.db.models import QuerySet
from django.utils import timezone
from drf_spectacular.utils import extend_schema
from rest_framework import mixins
from rest_framework.request import Request
from rest_framework.response import Response

from apps.campaigns.filters import RecipientFilter
from apps.campaigns.models import Recipient
from apps.campaigns.serializers.mailings import (
    AudienceOut,
    LetterIn,
    LetterOut,
    MailingOut,
    RecipientOut,
)
from apps.campaigns.services import lifecycle
from apps.campaigns.services.mailing import audience, letters
from apps.campaigns.services.mailing.letters import LetterWish
from apps.crm.services import reaching
from config.api import View, ViewSet, parse
from config.needs import Feature, Needs, Permission
from config.pages import CursorPage


class CampaignLetter(View):
    """What a campaign by e-mail says."""

    needs = Needs(
        feature=Feature.CAMPAIGNS,
        read=Permission.CAMPAIGNS_READ,
        write=Permission.CAMPAIGNS_SEND,
    )

    @extend_schema(responses=LetterOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(LetterOut(letters.letter_of(campaign_id=pk)).data)

    @extend_schema(request=LetterIn, responses=LetterOut)
    def put(self, request: Request, pk: UUID) -> Response:
        """Set the letter, until the campaign is active. 400 where somebody could lack a variable's value."""
        wish = LetterWish(**parse(LetterIn, request.data))
        written = letters.write(campaign_id=pk, wish=wish, now=timezone.now())
        return Response(LetterOut(written).data)


class CampaignMailing(View):
    """How far a campaign's letter is sent."""

    needs = Needs(feature=Feature.CAMPAIGNS, read=Permission.CAMPAIGNS_READ)

    @extend_schema(responses=MailingOut)
    def get(self, request: Request, pk: UUID) -> Response:
        return Response(MailingOut(letters.letter_of(campaign_id=pk)).data)


class CampaignAudience(View):
    """How many a campaign's letter would reach now: who has an address and has consented."""

    needs = Needs(feature=Feature.CAMPAIGNS, read=Permission.CAMPAIGNS_READ, cost=5)

    @extend_schema(responses=AudienceOut)
    def get(self, request: Request, pk: UUID) -> Response:
        told = lifecycle.campaign_named(pk).target_audience
        reached = reaching.reached(audience.audience_of(told)).count()
        return Response(AudienceOut({"reached": reached}).data)


class RecipientPage(CursorPage):
    """In order of the contacts' ids, which are unique here and not called `id`."""

    def get_ordering(self, request: Request, queryset: Any, view: Any) -> tuple[str, ...]:
        return super().get_ordering(request, queryset, view)[:1]


class RecipientViewSet(mixins.ListModelMixin, ViewSet):
    """Whom a campaign writes to, and what became of each letter."""

    needs = Needs(feature=Feature.CAMPAIGNS, read=Permission.CAMPAIGNS_READ)
    queryset = Recipient.objects.all()
    serializer_class = RecipientOut
    filterset_class = RecipientFilter
    pagination_class = RecipientPage
    ordering_fields: Sequence[str] = ("contact_id",)

    def get_queryset(self) -> QuerySet[Recipient]:
        if getattr(self, "swagger_fake_view", False):
            return Recipient.objects.none()
        mailing = letters.letter_of(campaign_id=self.kwargs["campaign_id"])
        return Recipient.objects.filter(mailing=mailing)
