"""What every engine that writes text takes and gives."""

from dataclasses import dataclass
from typing import Protocol

from apps.content.channels import Limits
from apps.content.models import Kind


@dataclass(frozen=True, slots=True)
class Order:
    """What is to be written. `language` is a BCP 47 code; `limits` are the channel's, in characters."""

    kind: Kind
    prompt: str
    language: str
    limits: Limits
    tone: str = ""
    audience: str = ""
    guidelines: str = ""


@dataclass(frozen=True, slots=True)
class Draft:
    """What was written, within the order's limits: plain text. `notice` tells people how it was made."""

    title: str
    body: str
    engine: str
    notice: str


class Writer(Protocol):
    """An engine. `write` raises LanguageUnknown for a language that it does not write."""

    def write(self, order: Order) -> Draft: ...


class LanguageUnknown(ValueError):
    """The engine does not write this language; `known` are those it does."""

    def __init__(self, known: tuple[str, ...]) -> None:
        self.known = known
        super().__init__(", ".join(known))
