"""Factories of the audit trail: by its own functions where no role may write its rows."""

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from config.context import require_tenant
from config.ids import new_id
from tenants.models import OPERATORS, OperatorEvent, TrailHead, TrailPending
from tenants.trail.actions import Action
from tenants.trail.models import TrailEvent
from tenants.trail.recording import Subject, record, record_for_operators
from tenants.trail.sealing import seal

__all__ = ["OperatorEventFactory", "TrailEventFactory", "TrailHeadFactory", "TrailPendingFactory"]


class TrailEventFactory(DjangoModelFactory[TrailEvent]):
    """A sealed act of the tenant in force; what waits there is sealed with it."""

    class Meta:
        model = TrailEvent

    object_id = factory.Sequence(lambda n: f"thing-{n}")
    action = Action.CONTACT_DELETED

    @classmethod
    def _create(cls, *_: Any, **given: Any) -> TrailEvent:
        record(given["action"], Subject("contact", given["object_id"]))
        seal(require_tenant().id)
        made = TrailEvent.objects.order_by("number").last()
        assert made is not None
        return made


class OperatorEventFactory(DjangoModelFactory[OperatorEvent]):
    """A sealed act of an operator."""

    class Meta:
        model = OperatorEvent

    action = Action.TENANT_SUSPENDED
    about_tenant_id = None

    @classmethod
    def _create(cls, *_: Any, **given: Any) -> OperatorEvent:
        record_for_operators(given["action"], Subject("tenant"), about=given["about_tenant_id"])
        seal(OPERATORS)
        made = OperatorEvent.objects.order_by("number").last()
        assert made is not None
        return made


class TrailPendingFactory(DjangoModelFactory[TrailPending]):
    class Meta:
        model = TrailPending

    id = factory.LazyFunction(new_id)
    tenant_id = factory.LazyFunction(new_id)
    recorded_at = factory.LazyFunction(timezone.now)
    body = factory.LazyFunction(dict)


class TrailHeadFactory(DjangoModelFactory[TrailHead]):
    class Meta:
        model = TrailHead

    tenant_id = factory.LazyFunction(new_id)
    number = 0
    digest = "0" * 64
    pruned_digest = "0" * 64
