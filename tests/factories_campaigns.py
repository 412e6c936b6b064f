"""Factories of campaigns and content. Make rows inside `tenant_context(...)`."""

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.campaigns.models import Campaign, CampaignTransition, Mailing, Recipient, SendBatch
from apps.content.models import Brief, Channel, Kind, Piece, ReviewStatus, Template
from config.ids import new_id

_BEGUN = {
    Campaign.Status.SCHEDULED,
    Campaign.Status.ACTIVE,
    Campaign.Status.PAUSED,
    Campaign.Status.COMPLETED,
}


class CampaignFactory(DjangoModelFactory[Campaign]):
    """A draft; in a state that has begun it gets a start."""

    class Meta:
        model = Campaign

    name = factory.Sequence(lambda n: f"Campaign {n}")
    type = Campaign.Type.EMAIL
    budget_minor = 150_000
    budget_currency = "USD"
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")
    starts_at = factory.LazyAttribute(
        lambda row: row.created_at if getattr(row, "status", None) in _BEGUN else None
    )


class CampaignTransitionFactory(DjangoModelFactory[CampaignTransition]):
    class Meta:
        model = CampaignTransition

    campaign = factory.SubFactory(CampaignFactory)
    from_status = Campaign.Status.DRAFT
    to_status = Campaign.Status.CANCELLED
    at = factory.LazyFunction(timezone.now)


class MailingFactory(DjangoModelFactory[Mailing]):
    class Meta:
        model = Mailing

    campaign = factory.SubFactory(CampaignFactory)
    subject = "Spring"
    html = "<p>Hello</p>"
    text = "Hello"
    sender_name = "Acme"


class SendBatchFactory(DjangoModelFactory[SendBatch]):
    class Meta:
        model = SendBatch

    mailing = factory.SubFactory(MailingFactory)
    spool = factory.LazyFunction(new_id)
    boot = factory.LazyFunction(new_id)
    quantity = 1
    claimed_at = factory.LazyFunction(timezone.now)


class RecipientFactory(DjangoModelFactory[Recipient]):
    class Meta:
        model = Recipient

    mailing = factory.SubFactory(MailingFactory)
    contact_id = factory.LazyFunction(new_id)


class BriefFactory(DjangoModelFactory[Brief]):
    class Meta:
        model = Brief

    class Params:
        approved = factory.Trait(
            status=ReviewStatus.APPROVED, approved_at=factory.LazyFunction(timezone.now)
        )

    objective = factory.Sequence(lambda n: f"Win back {n} customers")
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class TemplateFactory(DjangoModelFactory[Template]):
    class Meta:
        model = Template

    name = factory.Sequence(lambda n: f"Template {n}")
    kind = Kind.TEXT
    body = "Hello {{ first_name }}"
    variables = factory.LazyFunction(lambda: ["first_name"])
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")


class PieceFactory(DjangoModelFactory[Piece]):
    class Meta:
        model = Piece

    class Params:
        approved = factory.Trait(
            status=ReviewStatus.APPROVED, approved_at=factory.LazyFunction(timezone.now)
        )

    channel = Channel.EMAIL
    language = "en"
    title = factory.Sequence(lambda n: f"Piece {n}")
    body = "Hello"
    created_at = factory.LazyFunction(timezone.now)
    updated_at = factory.SelfAttribute("created_at")
