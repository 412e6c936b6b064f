"""A batch is one transaction of a few statements; only where another writer comes between, item by item."""

from collections.abc import Mapping, Sequence
from uuid import UUID

from django.db import IntegrityError, OperationalError, transaction
from psycopg.errors import DeadlockDetected, SerializationFailure

from apps.crm.services.batches import rows, units
from apps.crm.services.batches.nouns import Batch, Outcome, Values
from apps.crm.services.batches.planning import Plan, Room
from config.errors import DomainError

_TRIES = 3


def run(batch: Batch, items: Mapping[int, Values]) -> dict[int, Outcome]:
    """Do every item; {place in the batch: what became of it}. Each is done or refused alone, in order."""
    checked, outcomes = _checked(batch, items)
    try:
        done = _tried(batch, list(checked.values()))
    except IntegrityError:
        # As when two contacts of one batch swap their addresses: no order of a single statement allows it.
        done = [_tried(batch, [values])[0] for values in checked.values()]
    except OperationalError as error:
        if not _gave_way(error):
            raise
        done = [_tried(batch, [values])[0] for values in checked.values()]
    return outcomes | dict(zip(checked, done, strict=True))


def _checked(
    batch: Batch, items: Mapping[int, Values]
) -> tuple[dict[int, Values], dict[int, Outcome]]:
    checked: dict[int, Values] = {}
    refused: dict[int, Outcome] = {}
    for place, values in items.items():
        try:
            checked[place] = batch.noun.checked(values)
        except DomainError as refusal:
            refused[place] = refusal
    return checked, refused


def _tried(batch: Batch, items: Sequence[Values]) -> list[Outcome]:
    """Again, when another writer took a key after the look, or PostgreSQL chose this one to give way."""
    for _ in range(_TRIES - 1):
        try:
            return _together(batch, items)
        except IntegrityError:
            continue
        except OperationalError as error:
            if not _gave_way(error):
                raise
    return _together(batch, items)


def _gave_way(error: OperationalError) -> bool:
    return isinstance(error.__cause__, DeadlockDetected | SerializationFailure)


@transaction.atomic
def _together(batch: Batch, items: Sequence[Values]) -> list[Outcome]:
    if not items:
        return []
    noun = batch.noun
    found = noun.look_up(items)
    known = rows.locked(noun, items, _ids(batch, items))
    room: Room | None = None
    plan = Plan(batch, known, found, room)
    outcomes = [plan.take(values) for values in items]
    if noun.meter is not None and plan.new:
        room = units.take(meter=noun.meter, wanted=len(plan.new), now=batch.now)
    if room is not None:
        # Anew, with what fits: an item that meant a row which is not added now may mean another thing.
        plan = Plan(batch, known, found, room)
        outcomes = [plan.take(values) for values in items]
    written = [*plan.changed.values(), *plan.new.values()]
    noun.finish(written)
    # In this order a new row may take the key that another gives up in the same batch.
    rows.update(noun, list(plan.changed.values()))
    rows.insert(noun, list(plan.new.values()))
    noun.settle(written)
    noun.note([row["id"] for row in written])
    return outcomes


def _ids(batch: Batch, items: Sequence[Values]) -> list[UUID]:
    return [values["id"] for values in items if batch.key == "id"]
