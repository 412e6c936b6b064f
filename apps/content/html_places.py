"""Where a placeholder stands in HTML: escaping makes a value safe in text and in quoted attributes only.

Values come from strangers (a lead's first name), so a template whose placeholder stands inside a
script, a style, an event handler, a comment or an unquoted attribute is refused when it is written,
and a value that begins an address must be one that a browser does not run.
"""

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum

from apps.content.substitution import Part, Placeholder


class Place(StrEnum):
    TEXT = "text"
    ATTRIBUTE = "attribute"
    ADDRESS = "address"


class UnsafePlace(ValueError):
    """Escaping does not make a value safe where this variable stands: `name`."""

    def __init__(self, name: str) -> None:
        self.name = name
        super().__init__(name)


_ADDRESSES = frozenset(
    {"action", "background", "cite", "data", "formaction", "href", "poster", "src", "xlink:href"}
)
_NEVER = frozenset({"srcdoc", "style", "srcset", "ping"})
_RAW = frozenset(
    {"iframe", "noembed", "noframes", "noscript", "plaintext", "script", "style", "xmp"}
)
# Browsers end a comment at once that begins like this.
_EMPTY_COMMENT = re.compile("<!---?>")
_COMMENT_END = re.compile("--!?>")
_TAG = re.compile(r"</?([a-zA-Z][^\s/>]{0,100})")
_ATTRIBUTE = re.compile(r"([^\s\"'<>/=]{1,100})\s{0,20}=\s{0,20}$")
_TAG_MARK = re.compile("[\"'>]")
# Once the author has written one of these, a value can no longer choose the address's scheme.
_AUTHORS_START = re.compile("[/?#:]")
# What browsers run, with the tabs, line breaks and character references that they read past; erring
# towards refusing, as an author has no need of any of it in front of a variable.
_RUN_SCHEME = re.compile(r"(?:javascript|vbscript|data)\s*:", re.IGNORECASE)
_READ_PAST = re.compile("[\x00-\x20]")
# A character reference that a value after it could go on with: `&#{{ x }}`.
_OPEN_REFERENCE = re.compile(r"&#?[0-9A-Za-z]{0,40}$")
_LONGEST_BEGINNING = 2000
_SAFE_ADDRESS = re.compile(r"(?:https?://|mailto:|tel:|/|#|$)", re.IGNORECASE)


def is_safe_address(value: str) -> bool:
    """Whether a browser would follow `value` without running it."""
    return _SAFE_ADDRESS.match(value) is not None


def _is_run(begun: str) -> bool:
    """Whether the author's beginning of an address is one that a browser runs."""
    return _RUN_SCHEME.match(_READ_PAST.sub("", html.unescape(begun))) is not None


def places(parts: Sequence[Part]) -> Iterator[tuple[Placeholder, Place]]:
    """Each placeholder with the place where it stands. Raises UnsafePlace."""
    reader = _Reader()
    for part in parts:
        if isinstance(part, str):
            reader.read(part)
        else:
            yield part, reader.place_of(part)


@dataclass(slots=True)
class _Reader:
    """Follows HTML as a browser does, as far as to know what surrounds a placeholder.

    `state` is text, tag, raw, comment, or the quote mark of the attribute being read; `attribute` is its
    name and `begun` what of its value has been read. Where browsers differ it errs towards refusing.
    """

    state: str = "text"
    element: str = ""
    tag_text: str = ""
    attribute: str = ""
    begun: str = ""

    def read(self, text: str) -> None:
        steps = {
            "text": self._in_text,
            "tag": self._in_tag,
            "raw": self._in_raw,
            "comment": self._in_comment,
        }
        at = 0
        while at < len(text):
            at = steps.get(self.state, self._in_quotes)(text, at)

    def place_of(self, placeholder: Placeholder) -> Place:
        if self.state == "text":
            return Place.TEXT
        is_handler = self.attribute.startswith("on") or self.attribute in _NEVER
        if self.state not in {'"', "'"} or not self.attribute or is_handler:
            raise UnsafePlace(placeholder.name)
        if self.attribute not in _ADDRESSES:
            return Place.ATTRIBUTE
        # What is longer could hide its scheme behind what browsers read past.
        if len(self.begun) >= _LONGEST_BEGINNING or _is_run(self.begun):
            raise UnsafePlace(placeholder.name)
        if _AUTHORS_START.search(html.unescape(_OPEN_REFERENCE.sub("", self.begun))):
            return Place.ATTRIBUTE
        if self.begun.strip():
            # Two values side by side could spell `javascript:` together.
            raise UnsafePlace(placeholder.name)
        self.begun += "{}"
        return Place.ADDRESS

    def _in_text(self, text: str, at: int) -> int:
        start = text.find("<", at)
        if start == -1:
            return len(text)
        if text.startswith("<!--", start):
            closed = _EMPTY_COMMENT.match(text, start)
            self.state = "text" if closed else "comment"
            return closed.end() if closed else start + 4
        tag = _TAG.match(text, start)
        if tag is None:
            # `<` at the very end, before a placeholder: the value could become the tag's name.
            self.state = "tag" if start == len(text) - 1 or text[start + 1] in "/!?" else "text"
            self.element = self.tag_text = ""
            return start + 1
        self.state, self.element, self.tag_text = "tag", tag[0].lower(), ""
        return tag.end()

    def _in_tag(self, text: str, at: int) -> int:
        end = _TAG_MARK.search(text, at)
        self.tag_text = (self.tag_text + text[at : end.start() if end else len(text)])[-200:]
        if end is None:
            return len(text)
        if end[0] == ">":
            raw = self.element.removeprefix("<") in _RAW
            self.state = "raw" if raw else "text"
        else:
            named = _ATTRIBUTE.search(self.tag_text)
            self.state, self.begun = end[0], ""
            self.attribute = named[1].lower() if named else ""
        return end.end()

    def _in_quotes(self, text: str, at: int) -> int:
        end = text.find(self.state, at)
        read = text[at : len(text) if end == -1 else end]
        self.begun = (self.begun + read)[:_LONGEST_BEGINNING]
        if end == -1:
            return len(text)
        self.state, self.tag_text = "tag", ""
        return end + 1

    def _in_raw(self, text: str, at: int) -> int:
        closing = re.compile(f"</{re.escape(self.element[1:])}", re.IGNORECASE).search(text, at)
        if closing is None:
            return len(text)
        inside = text[at : closing.start()].lower()
        comment = inside.find("<!--") if self.element == "<script" else -1
        if comment != -1 and "<script" in inside[comment:]:
            # In a script, `<!--` and `<script` hide the next end tag.
            return closing.end()
        self.state, self.element, self.tag_text = "tag", "</", ""
        return closing.end()

    def _in_comment(self, text: str, at: int) -> int:
        end = _COMMENT_END.search(text, at)
        if end is None:
            return len(text)
        self.state = "text"
        return end.end()
