"""Every string of ours that is translated, from code and templates; `python -m tests.portal.messages` brings
`config/locale` up to date.

Templates are read by Django's own lexer and everything by Babel, so that no gettext program is needed.
"""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from babel.messages.catalog import Catalog
from babel.messages.extract import extract_python
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from django.utils.translation.template import templatize

from tests.stack import REPOSITORY

OURS = ("config", "tenants", "quotas", "billing", "apps")
LOCALE = REPOSITORY / "config" / "locale" / "es" / "LC_MESSAGES"
PO, MO = LOCALE / "django.po", LOCALE / "django.mo"
_HEADER = (
    "# Spanish for Plaza. `python -m tests.portal.messages` brings it up to date and compiles it."
)
_WORDS: dict[str, Any] = {
    "_": None,
    "gettext": None,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext": (1, 2),
    "ngettext_lazy": (1, 2),
    "pgettext": ((1, "c"), 2),
    "pgettext_lazy": ((1, "c"), 2),
    "npgettext": ((1, "c"), 2, 3),
    "npgettext_lazy": ((1, "c"), 2, 3),
}


def sources() -> Iterator[tuple[Path, str]]:
    """Each file of ours that may hold strings, as Python (templates as what Django's lexer makes of them)."""
    for package in OURS:
        for path in sorted((REPOSITORY / package).rglob("*")):
            if path.suffix == ".py" and "migrations" not in path.parts:
                yield path, path.read_text()
            elif path.suffix == ".html":
                yield path, templatize(path.read_text(), origin=str(path))


def extracted() -> Catalog:
    """The strings as they are in the code now, without translations."""
    found = Catalog(project="Plaza", charset="utf-8", fuzzy=False)
    for path, text in sources():
        for _line, word, message, _comments in extract_python(
            io.BytesIO(text.encode()), _WORDS, [], {}
        ):
            place = str(path.relative_to(REPOSITORY))
            _add(found, str(word), message, place)
    return found


def _add(found: Catalog, word: str, message: object, place: str) -> None:
    parts = message if isinstance(message, tuple) else (message,)
    texts = [part for part in parts if isinstance(part, str) and part]
    if not texts:
        return
    context = texts.pop(0) if "pgettext" in word else None
    msgid = tuple(texts[:2]) if word.startswith(("ngettext", "npgettext")) else texts[0]
    found.add(msgid, context=context, locations=[(place, 0)])


def translated() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="es")


def compiled(catalogue: Catalog) -> bytes:
    made = io.BytesIO()
    write_mo(made, catalogue)
    return made.getvalue()


def bring_up_to_date() -> list[str]:
    """Add what is new, drop what is gone, compile; the strings that have no translation yet."""
    LOCALE.mkdir(parents=True, exist_ok=True)
    known = translated() if PO.exists() else Catalog(locale="es", project="Plaza", fuzzy=False)
    begun = known.creation_date
    known.update(extracted(), no_fuzzy_matching=True)
    known.creation_date = begun  # a run that finds nothing new changes nothing
    known.obsolete.clear()
    known.header_comment = _HEADER
    known.version, known.msgid_bugs_address = "0.1.0", "Plaza"
    known.last_translator = known.language_team = "Plaza"
    known.revision_date = known.creation_date
    with PO.open("wb") as file:
        write_po(file, known, width=100, sort_output=True, include_lineno=False)
    MO.write_bytes(compiled(translated()))
    return [str(message.id) for message in known if message.id and not is_whole(message.string)]


def is_whole(string: object) -> bool:
    parts = string if isinstance(string, (tuple, list)) else (string,)
    return all(parts)


if __name__ == "__main__":
    for text in bring_up_to_date():
        print("untranslated:", text)
