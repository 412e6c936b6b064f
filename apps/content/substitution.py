"""Our own tiny substitution language: `{{ variable }}` and `{{ variable|default:"text" }}`, nothing else.

Tenants write templates, so the language can do nothing but put given texts in place: no attribute
access, no calls, no loops, one pass, linear in the length of the template. (Django's engine, tried
with a tenant's text, printed an API key and burned seconds.)
"""

import html
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

LONGEST_NAME = 40
MOST_PLACEHOLDERS = 500
LONGEST_RESULT = 500_000
NAME = re.compile(rf"[A-Za-z_][A-Za-z0-9_]{{0,{LONGEST_NAME - 1}}}")
# Every repetition is bounded, and no two that could match the same text stand side by side.
_PLACEHOLDER = re.compile(
    rf"""\{{\{{[ ]{{0,8}}({NAME.pattern})[ ]{{0,8}}(?:\|[ ]{{0,8}}default:[ ]{{0,8}}"([^"\r\n]{{0,200}})"[ ]{{0,8}})?\}}\}}"""
)
_SHOWN = 40


class Format(StrEnum):
    """What the text is, hence how a value is written into it."""

    LINE = "line"
    PLAIN = "plain"
    HTML = "html"


@dataclass(frozen=True, slots=True)
class Placeholder:
    """One `{{ variable }}`; `fallback` is its default, None where there is none."""

    name: str
    fallback: str | None


Part = str | Placeholder


@dataclass(frozen=True, slots=True)
class Rendered:
    """`missing` names what had neither value nor default, in order; it stands in `text` as it was written."""

    text: str
    missing: tuple[str, ...]


class NotInLanguage(ValueError):
    """The text holds a `{{` or `{%` that this language does not know: `line` (from 1) and what stands there."""

    def __init__(self, line: int, found: str) -> None:
        self.line, self.found = line, found
        super().__init__(f"line {line}: {found!r}")


class TooLarge(ValueError):
    """The template has too many placeholders, or its result too many characters: `limit`."""

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(str(limit))


def parse(text: str) -> list[Part]:
    """Split `text` into literals and placeholders. Raises NotInLanguage, TooLarge."""
    parts: list[Part] = []
    at = 0
    while (start := text.find("{{", at)) != -1:
        found = _PLACEHOLDER.match(text, start)
        if found is None:
            raise _stranger(text, start)
        parts += [text[at:start], Placeholder(name=found[1], fallback=found[2])]
        if len(parts) > 2 * MOST_PLACEHOLDERS:
            raise TooLarge(MOST_PLACEHOLDERS)
        at = found.end()
    parts.append(text[at:])
    # Inert here, but an author who writes a tag should hear that it does nothing.
    if (start := text.find("{%")) != -1:
        raise _stranger(text, start)
    return parts


def names(parts: Sequence[Part]) -> list[str]:
    """List the variables of a parsed text, each once, in order of appearance."""
    return list(dict.fromkeys(part.name for part in parts if isinstance(part, Placeholder)))


def render(parts: Sequence[Part], values: Mapping[str, str], *, into: Format) -> Rendered:
    """Put the values in place, written for `into`. A value is text: what it holds is never parsed again.

    Raises TooLarge.
    """
    written: list[str] = []
    missing: dict[str, None] = {}
    length = 0
    for part in parts:
        if isinstance(part, str):
            chunk = part
        else:
            value = values.get(part.name, part.fallback)
            if value is None:
                missing[part.name] = None
            chunk = "{{ " + part.name + " }}" if value is None else _WRITE[into](value)
        length += len(chunk)
        if length > LONGEST_RESULT:
            raise TooLarge(LONGEST_RESULT)
        written.append(chunk)
    return Rendered(text="".join(written), missing=tuple(missing))


def _one_line(value: str) -> str:
    """No control characters: a line break in a value must not begin a new mail header."""
    return "".join(
        " " if unicodedata.category(character) in {"Cc", "Zl", "Zp"} else character
        for character in value
    )


_WRITE: Mapping[Format, Callable[[str], str]] = {
    Format.LINE: _one_line,
    Format.PLAIN: str,
    Format.HTML: html.escape,
}


def _stranger(text: str, start: int) -> NotInLanguage:
    found, _, _ = text[start : start + _SHOWN].partition("\n")
    return NotInLanguage(line=text.count("\n", 0, start) + 1, found=found)
