"""The words of an HTML text, for programs that show no HTML: paragraphs, and links as their addresses."""

import re
from html.parser import HTMLParser

_BLOCKS = frozenset(
    {"address", "article", "blockquote", "div", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header"}
    | {"hr", "li", "ol", "p", "pre", "section", "table", "tr", "ul"}
)  # fmt: skip
_UNSHOWN = frozenset({"head", "script", "style", "title"})
_SPACES, _BLANK_LINES = re.compile(r"[ \t\r\f\v]+"), re.compile(r"\n{3,}")
# Placeholders hold characters that HTML knows: the default's quotation marks.
_PLACEHOLDER = re.compile(r"\{\{[^{}]{0,300}\}\}")


def plain(html: str) -> str:
    """`html` as plain text; its placeholders stay as they are written."""
    kept: list[str] = []

    def keep(found: re.Match[str]) -> str:
        kept.append(found[0])
        return f"\x00{len(kept) - 1}\x00"

    reader = _Reader()
    reader.feed(_PLACEHOLDER.sub(keep, html.replace("\x00", "")))
    reader.close()
    lines = (_SPACES.sub(" ", line).strip() for line in "".join(reader.words).split("\n"))
    text = _BLANK_LINES.sub("\n\n", "\n".join(lines)).strip()
    return re.sub("\x00(\\d+)\x00", lambda found: kept[int(found[1])], text)


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.words: list[str] = []
        self._unshown = 0
        self._links: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in _UNSHOWN:
            self._unshown += 1
        elif tag == "br":
            self.words.append("\n")
        elif tag in _BLOCKS:
            self.words.append("\n\n" if tag != "li" else "\n- ")
        elif tag == "a":
            self._links.append(dict(attrs).get("href") or "")

    def handle_endtag(self, tag: str) -> None:
        if tag in _UNSHOWN:
            self._unshown = max(0, self._unshown - 1)
        elif tag == "a" and self._links:
            address = self._links.pop()
            if address and not address.startswith("#"):
                self.words.append(f" ({address})")
        elif tag in _BLOCKS and tag != "li":
            self.words.append("\n\n")

    def handle_data(self, data: str) -> None:
        if not self._unshown:
            self.words.append(data.replace("\n", " "))
