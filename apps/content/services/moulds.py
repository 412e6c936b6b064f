"""A letter's texts parsed once, for a million recipients: `fill` only puts values in place."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from apps.content.html_places import Place, is_safe_address, places
from apps.content.substitution import Format, Part, Placeholder, parse, render


class UnsafeValue(ValueError):
    """The value of this variable would begin an address that browsers run: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


@dataclass(frozen=True, slots=True)
class Filled:
    """A letter for one recipient."""

    subject: str
    html: str
    text: str


@dataclass(frozen=True)
class Mould:
    """The three texts of a letter, in the templates' language (apps/content/substitution.py)."""

    subject: Sequence[Part]
    html: Sequence[Part]
    text: Sequence[Part]

    @classmethod
    def of(cls, *, subject: str, html: str, text: str) -> "Mould":
        """Raises NotInLanguage, TooLarge."""
        return cls(parse(subject), parse(html), parse(text))

    @cached_property
    def _addresses(self) -> frozenset[str]:
        found = places(self.html)
        return frozenset(each.name for each, place in found if place is Place.ADDRESS)

    def fill(self, values: Mapping[str, str]) -> Filled:
        """Raises UnsafeValue, and TooLarge where the values make the letter too long."""
        for name in self._addresses:
            if not is_safe_address(values.get(name, "")):
                raise UnsafeValue(name)
        return Filled(
            subject=render(self.subject, values, into=Format.LINE).text,
            html=render(self.html, values, into=Format.HTML).text,
            text=render(self.text, values, into=Format.PLAIN).text,
        )


def without_default(parts: Sequence[Part]) -> list[str]:
    """The variables that somewhere stand without a default, in order of appearance."""
    bare = (part.name for part in parts if isinstance(part, Placeholder) and part.fallback is None)
    return list(dict.fromkeys(bare))
