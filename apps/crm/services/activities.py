"""Notes and tasks: each about one contact, company or deal."""

from collections.abc import Mapping
from datetime import datetime
from typing import Any, TypeVar
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.crm.models import Company, Contact, Deal, Note, Task
from apps.crm.services import owners
from config.errors import NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

Activity = TypeVar("Activity", Note, Task)
_ABOUT: dict[str, type[Contact | Company | Deal]] = {
    "contact_id": Contact, "company_id": Company, "deal_id": Deal,
}  # fmt: skip
_DELETED = {Note: Action.NOTE_DELETED, Task: Action.TASK_DELETED}


@transaction.atomic
def create(
    model: type[Activity], *, values: Mapping[str, Any], by_id: UUID | None, now: datetime
) -> Activity:
    """Add a note or a task. Raises ValidationFailed unless it is about one thing that exists."""
    about = [(name, values[name]) for name in _ABOUT if values.get(name) is not None]
    if len(about) != 1:
        message = _("It is about one contact, company or deal.")
        raise ValidationFailed(errors={"non_field_errors": [message]})
    [(name, pk)] = about
    if not _ABOUT[name].objects.filter(pk=pk).exists():
        raise ValidationFailed(errors={name: [_("There is no such row.")]})
    made = model(author_id=by_id, created_at=now)
    return _saved(made, values, now)


@transaction.atomic
def change(
    model: type[Activity], *, activity_id: UUID, values: Mapping[str, Any], now: datetime
) -> Activity:
    """Change what `values` names; what it is about stays. Raises NotFound, ValidationFailed."""
    found = model.objects.select_for_update().filter(pk=activity_id).first()
    if found is None:
        raise NotFound()
    if moved := [
        name for name in _ABOUT if name in values and values[name] != getattr(found, name)
    ]:
        raise ValidationFailed(errors={name: [_("What it is about stays.")] for name in moved})
    return _saved(found, values, now)


@transaction.atomic
def delete(model: type[Note | Task], *, activity_id: UUID) -> None:
    """Raises NotFound."""
    if not model.objects.filter(pk=activity_id).delete()[0]:
        raise NotFound()
    record(_DELETED[model], Subject(model.__name__.lower(), activity_id))


def _saved(activity: Activity, values: Mapping[str, Any], now: datetime) -> Activity:
    if "assignee_id" in values and isinstance(activity, Task):
        owners.checked(activity.assignee_id, values["assignee_id"], None, field="assignee_id")
    for name, value in values.items():
        if name != "done":
            setattr(activity, name, value)
    if "done" in values and isinstance(activity, Task):
        activity.done_at = (activity.done_at or now) if values["done"] else None
    activity.updated_at = now
    activity.save()
    return activity
