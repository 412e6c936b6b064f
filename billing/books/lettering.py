"""Letters on paper: the fonts of invoices, and which of them has a letter. Both are embedded, as the subset used.

Open Sans has Latin, Greek and Cyrillic, WenQuanYi Micro Hei what China, Japan and Korea write. What neither has
(Arabic, Hebrew, emoji) stands as U+FFFD: a gap is seen, not lost.
"""

import threading
import unicodedata
from importlib.resources import files
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import ttf_opensans
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "OpenSans", "OpenSans-Bold"
_ASIAN = "WenQuanYi"
_LATIN_FOLDER = Path(ttf_opensans.TTF_BIN_FOLDER)
_FILES = {
    REGULAR: str(_LATIN_FOLDER / "OpenSans-Regular.ttf"),
    BOLD: str(_LATIN_FOLDER / "OpenSans-Bold.ttf"),
    _ASIAN: str(files("paperang_p2_fonts_cjk") / "fonts" / "wqy-microhei.ttc"),
}
_UNKNOWN = "\N{REPLACEMENT CHARACTER}"
# They have no look of their own, and change that of others in ways that our fonts know nothing of.
_INVISIBLE = {"Cc", "Cf"}
_reading = threading.Lock()
_known: dict[str, frozenset[int]] = {}


def marked(text: str) -> str:
    """`text` as reportlab's markup: escaped, and each run of letters in a font that has them."""
    register()
    told = unicodedata.normalize("NFC", " ".join(text.split()))
    seen = (letter for letter in told if unicodedata.category(letter) not in _INVISIBLE)
    return "".join(_run(font, "".join(letters)) for font, letters in groupby(seen, _font_of))


def _run(font: str, letters: str) -> str:
    if font == _UNKNOWN:
        return _UNKNOWN * len(letters)
    return escape(letters) if font == REGULAR else f'<font name="{font}">{escape(letters)}</font>'


def _font_of(letter: str) -> str:
    return next((font for font, known in _known.items() if ord(letter) in known), _UNKNOWN)


def register() -> None:
    """Read the fonts and tell reportlab of them: a third of a second, once in a process that prints."""
    with _reading:
        if _known:
            return
        fonts = {name: TTFont(name, path) for name, path in _FILES.items()}
        for font in fonts.values():
            pdfmetrics.registerFont(font)
        pdfmetrics.registerFontFamily(
            REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
        )
        _known.update({name: frozenset(fonts[name].face.charToGlyph) for name in (REGULAR, _ASIAN)})
