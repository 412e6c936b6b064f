"""Letters on paper: the fonts of invoices, and which of them has a letter.

Open Sans is embedded (as a subset) and has Latin, Greek and Cyrillic. Chinese, Japanese and Korean are left to
the fonts that every reader of PDF has for them. What neither has stands as U+FFFD: a gap is seen, not lost.
"""

from functools import cache
from itertools import groupby
from pathlib import Path
from xml.sax.saxutils import escape

import ttf_opensans
from reportlab.pdfbase import pdfmetrics
from reportlab.pdfbase.cidfonts import UnicodeCIDFont
from reportlab.pdfbase.ttfonts import TTFont

REGULAR, BOLD = "OpenSans", "OpenSans-Bold"
_CHINESE, _JAPANESE, _KOREAN = "STSong-Light", "HeiseiMin-W3", "HYSMyeongJo-Medium"
_KANA, _HANGUL = range(0x3040, 0x3100), range(0xAC00, 0xD7B0)
_HAN = (range(0x3000, 0x3040), range(0x4E00, 0xA000), range(0xFF00, 0xFFF0))
_UNKNOWN = "\ufffd"


def marked(text: str) -> str:
    """`text` as reportlab's markup: escaped, and each run of letters in a font that has them."""
    runs = groupby(text, lambda letter: _font_of(letter, _of_han(text)))
    return "".join(_run(font, "".join(letters)) for font, letters in runs)


def _run(font: str, letters: str) -> str:
    if font == _UNKNOWN:
        return _UNKNOWN * len(letters)
    return escape(letters) if font == REGULAR else f'<font name="{font}">{escape(letters)}</font>'


def _font_of(letter: str, of_han: str) -> str:
    code = ord(letter)
    if code in _covered() or letter.isspace():
        return REGULAR
    if code in _HANGUL:
        return _KOREAN
    if code in _KANA:
        return _JAPANESE
    return of_han if any(code in part for part in _HAN) else _UNKNOWN


def _of_han(text: str) -> str:
    """Japanese writes the same signs as Chinese beside its own."""
    return _JAPANESE if any(ord(letter) in _KANA for letter in text) else _CHINESE


@cache
def _covered() -> frozenset[int]:
    return frozenset(_font(REGULAR, "Regular").face.charToGlyph)


def _font(name: str, weight: str) -> TTFont:
    return TTFont(name, Path(ttf_opensans.TTF_BIN_FOLDER) / f"OpenSans-{weight}.ttf")


def register() -> None:
    """Tell reportlab of the fonts; harmless again and again."""
    pdfmetrics.registerFont(_font(REGULAR, "Regular"))
    pdfmetrics.registerFont(_font(BOLD, "Bold"))
    pdfmetrics.registerFontFamily(
        REGULAR, normal=REGULAR, bold=BOLD, italic=REGULAR, boldItalic=BOLD
    )
    for name in (_CHINESE, _JAPANESE, _KOREAN):
        pdfmetrics.registerFont(UnicodeCIDFont(name))
