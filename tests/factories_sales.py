"""Factories of segments, and of deals with what is written about them. They are made inside `tenant_context(...)`."""

from typing import Any

import factory
from django.utils import timezone
from factory.django import DjangoModelFactory

from apps.crm.models import (
    Contact,
    Deal,
    Note,
    Pipeline,
    Segment,
    SegmentChange,
    SegmentMember,
    Stage,
    Task,
)
from config.ids import new_id


def _somebody() -> Any:
    return Contact.objects.create(first_name="Somebody")


class SegmentFactory(DjangoModelFactory[Segment]):
    """A list made by hand."""

    class Meta:
        model = Segment

    name = factory.Sequence(lambda n: f"Segment {n}")
    kind = Segment.Kind.STATIC


class SegmentMemberFactory(DjangoModelFactory[SegmentMember]):
    class Meta:
        model = SegmentMember

    segment = factory.SubFactory(SegmentFactory)
    contact = factory.LazyFunction(_somebody)
    entered_at = factory.LazyFunction(timezone.now)


class SegmentChangeFactory(DjangoModelFactory[SegmentChange]):
    class Meta:
        model = SegmentChange

    contact_id = factory.LazyFunction(new_id)


class PipelineFactory(DjangoModelFactory[Pipeline]):
    class Meta:
        model = Pipeline

    name = factory.Sequence(lambda n: f"Pipeline {n}")


class StageFactory(DjangoModelFactory[Stage]):
    class Meta:
        model = Stage

    pipeline = factory.SubFactory(PipelineFactory)
    name = factory.Sequence(lambda n: f"Stage {n}")
    position = 0


class DealFactory(DjangoModelFactory[Deal]):
    class Meta:
        model = Deal

    name = factory.Sequence(lambda n: f"Deal {n}")
    stage = factory.SubFactory(StageFactory)
    stage_changed_at = factory.LazyFunction(timezone.now)


class NoteFactory(DjangoModelFactory[Note]):
    class Meta:
        model = Note

    contact = factory.LazyFunction(_somebody)
    text = "Called back."


class TaskFactory(DjangoModelFactory[Task]):
    class Meta:
        model = Task

    contact = factory.LazyFunction(_somebody)
    title = "Call back"
