"""One item done as a batch of one, for nouns that have no other way."""

from datetime import datetime
from uuid import UUID

from apps.crm.services.batches.nouns import Batch, Done, Noun, Values
from apps.crm.services.batches.running import run


def create(noun: Noun, values: Values, *, now: datetime) -> UUID:
    """Add one; its id. Raises what the noun refuses."""
    return _done(Batch(noun, None, adds=True, now=now), values)


def change(noun: Noun, pk: UUID, values: Values, *, now: datetime) -> UUID:
    """Change one. Raises NotFound, and what the noun refuses."""
    return _done(Batch(noun, "id", adds=False, now=now), {**values, "id": pk})


def _done(batch: Batch, values: Values) -> UUID:
    outcome = run(batch, {0: values})[0]
    if isinstance(outcome, Done):
        return outcome.id
    raise outcome
