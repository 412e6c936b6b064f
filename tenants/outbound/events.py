"""Which events there are: each package declares its own in `events.py` under EVENTS."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from django.utils.functional import Promise

from tenants.declared import declared_in


@dataclass(frozen=True, slots=True)
class Event:
    """A kind of event: its name (`noun.past_participle`), what it means, and its data by example."""

    name: str
    meaning: Promise
    example: Mapping[str, Any]


def known_events() -> dict[str, Event]:
    """Every event that can be emitted, by its name, in order of names."""
    found = {event.name: event for event in declared_in("events", "EVENTS")}
    return {name: found[name] for name in sorted(found)}
