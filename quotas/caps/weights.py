"""How much of a budget a meter's units weigh: whole numbers that billing makes of its prices.

A weight is a line with bends. Above `after` units each `step` begun units weigh `price`, on top of the
`base` of all units before. These numbers are parts of the budget's minor unit, `scale` of which make a
whole one, so that they are exact; a meter's whole period is rounded once, half to even, as its line on
the invoice is. So the millionth event of a tenth of a cent weighs what it should.

A weight never falls as units are added: what fits under a cap goes on fitting when units are given back.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from typing import Any, NamedTuple


class Bend(NamedTuple):
    """From unit `after` + 1 on: `base`, and `price` for each `step` units begun."""

    after: int
    base: int
    price: int
    step: int = 1

    def of(self, units: int) -> int:
        """What `units` in all weigh, in parts."""
        return self.base + self.price * -(-(units - self.after) // self.step)


@dataclass(frozen=True, slots=True)
class Weight:
    """Of one meter; `bends` in order of `after`, the first after 0."""

    bends: tuple[Bend, ...]
    scale: int = 1

    def of(self, units: int) -> int:
        """Minor units of the budget that `units` above the included weigh."""
        if units <= 0:
            return 0
        parts = next(bend for bend in reversed(self.bends) if bend.after < units).of(units)
        return round(Fraction(parts, self.scale))

    @property
    def as_json(self) -> dict[str, Any]:
        return {"scale": self.scale, "bends": [list(bend) for bend in self.bends]}


def read(told: Mapping[str, Any]) -> Weight:
    """What a grant keeps of a weight. Raises ValueError where it is none."""
    weight = Weight(tuple(Bend(*bend) for bend in told["bends"]), told["scale"])
    fault = _fault(weight.bends) if _is_whole(weight.scale) and weight.scale else "has a scale"
    if fault:
        raise ValueError(f"A weight {fault}.")
    return weight


def _fault(bends: tuple[Bend, ...]) -> str:
    if not bends or not all(_is_whole(each) for bend in bends for each in bend):
        return "is made of whole numbers from 0"
    faults = {
        "begins after 0 units": bends[0].after != 0,
        "has steps of 1 unit or more": any(bend.step < 1 for bend in bends),
        "has its bends in order": any(one.after >= other.after for one, other in pairwise(bends)),
    }
    found = next((words for words, is_so in faults.items() if is_so), "")
    falls = (one.of(other.after) > other.of(other.after + 1) for one, other in pairwise(bends))
    return found or ("never falls" if any(falls) else "")


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0
