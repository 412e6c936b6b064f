"""What is there and what is declared, side by side, for the checks that tell the difference."""

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass

from tenants.doctor.declared import Declared, declared_state
from tenants.doctor.findings import Patient
from tenants.doctor.readings import Lines, Reading, read
from tenants.roles import OURS

Both = tuple[Lines, Lines]


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing whose details differ; `found` "" says that it is missing, `wanted` "" that nobody declares it."""

    thing: str
    found: str
    wanted: str


def standing(patient: Patient) -> Reading:
    """What PostgreSQL has. Ask it by `patient.once`."""
    return read(patient.connection, roles=[*OURS])


def both(patient: Patient, about: Callable[[Reading], Lines]) -> Both:
    """(found, wanted); nothing of either where what is declared is not known, which another check tells."""
    declared = patient.once(declared_state)
    if not isinstance(declared, Declared):
        return frozenset(), frozenset()
    return about(patient.once(standing)), about(declared.square)


def differences(found: Lines, wanted: Lines) -> list[Difference]:
    """By thing, which has one detail."""
    there, declared = dict(found), dict(wanted)
    return [
        Difference(thing, there.get(thing, ""), declared.get(thing, ""))
        for thing in sorted(there.keys() | declared.keys())
        if there.get(thing) != declared.get(thing)
    ]


def by_grantee(lines: Lines) -> list[tuple[str, str, list[str]]]:
    """(object, role, its privileges), from lines of access lists."""
    held: defaultdict[tuple[str, str], list[str]] = defaultdict(list)
    for thing, detail in sorted(lines):
        role, _, privilege = detail.partition(": ")
        held[thing, role].append(privilege)
    return [(thing, role, privileges) for (thing, role), privileges in held.items()]
