"""Pipelines with their stages, in order."""

from collections.abc import Sequence
from datetime import datetime
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import RestrictedError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Pipeline, Stage
from config.errors import DomainError, NotFound, ValidationFailed
from config.transactions import recoverable
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class StageValues(TypedDict, total=False):
    """A stage with an `id` is one that is there already."""

    id: UUID
    name: str
    kind: str


class PipelineValues(TypedDict, total=False):
    """`stages` are all of them, in their order."""

    name: str
    external_id: str | None
    stages: list[StageValues]


class PipelineExists(DomainError):
    """Another pipeline has this name or external id."""

    code = "pipeline_exists"
    status = 409
    title = gettext_lazy("Another pipeline has this name or external id.")


class StageInUse(DomainError):
    """Deals are in the stage, so it stays."""

    code = "stage_in_use"
    status = 409
    title = gettext_lazy("Deals are in this stage: move them first.")


@transaction.atomic
def create(*, values: PipelineValues, now: datetime) -> Pipeline:
    """Add a pipeline with its stages. Raises PipelineExists, ValidationFailed."""
    return _saved(Pipeline(created_at=now), values)


@transaction.atomic
def change(*, pipeline_id: UUID, values: PipelineValues) -> Pipeline:
    """Change what `values` names. Raises NotFound, PipelineExists, StageInUse, ValidationFailed."""
    return _saved(_locked(pipeline_id), values)


@transaction.atomic
def delete(*, pipeline_id: UUID) -> None:
    """Delete the pipeline with its stages. Raises NotFound, StageInUse."""
    pipeline = _locked(pipeline_id)
    try:
        pipeline.delete()
    except RestrictedError as error:
        raise StageInUse() from error
    record(Action.PIPELINE_DELETED, Subject("pipeline", pipeline_id, pipeline.name))


def _locked(pipeline_id: UUID) -> Pipeline:
    pipeline = Pipeline.objects.select_for_update().filter(pk=pipeline_id).first()
    if pipeline is None:
        raise NotFound()
    return pipeline


def _saved(pipeline: Pipeline, values: PipelineValues) -> Pipeline:
    pipeline.name = values.get("name", pipeline.name)
    pipeline.external_id = values.get("external_id", pipeline.external_id)
    try:
        with recoverable():
            pipeline.save()
    except IntegrityError as error:
        raise PipelineExists() from error
    if "stages" in values:
        _place(pipeline, values["stages"])
    return pipeline


def _place(pipeline: Pipeline, wanted: Sequence[StageValues]) -> None:
    known = {stage.pk: stage for stage in pipeline.stages.all()}
    placed = []
    for position, values in enumerate(wanted):
        stage = known.pop(values["id"], None) if "id" in values else Stage(pipeline=pipeline)
        if stage is None:
            raise ValidationFailed(errors={"stages": [_("There is no such stage.")]})
        stage.name, stage.position = values["name"], position
        stage.kind = values.get("kind", stage.kind)
        placed.append(stage)
    if len({stage.name.lower() for stage in placed}) < len(placed):
        raise ValidationFailed(errors={"stages": [_("Each stage has a name of its own.")]})
    try:
        Stage.objects.filter(pk__in=known).delete()
    except RestrictedError as error:
        raise StageInUse() from error
    Stage.objects.bulk_create(
        placed,
        update_conflicts=True,
        unique_fields=["id"],
        update_fields=["name", "kind", "position"],
    )
