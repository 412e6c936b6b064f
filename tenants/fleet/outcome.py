"""What came of a fleet run."""

from dataclasses import dataclass, field


@dataclass(slots=True)
class FleetOutcome:
    """Counts of what was brought to `version`; who was set aside, with the reason; why it ended early.

    discarded: ready schemas that failed, with the reason; the pool makes others.
    discarded: ready schemas that failed, with the reason; the pool makes others.
    drifted: names of those whose constraints or indexes have other names than the template's.
    stopped: why no further wave was begun, or empty. interrupted: somebody pulled the brake.
    """

    version: str = ""
    migrated: int = 0
    ready_schemas: int = 0
    set_aside: dict[str, str] = field(default_factory=dict)
    discarded: dict[str, str] = field(default_factory=dict)
    drifted: list[str] = field(default_factory=list)
    stopped: str = ""
    interrupted: bool = False
