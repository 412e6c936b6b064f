"""A letter: a few sentences and one way on, as plain text and as HTML of one look.

Packages declare their kinds in `letters.py` under LETTERS; a kind makes the words of the facts that
were kept, in the language that is active when it is called.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from django.template.loader import render_to_string
from django.utils.translation import gettext as _

from tenants.declared import declared_in
from tenants.models import Tenant


@dataclass(frozen=True, slots=True)
class Letter:
    """What one person reads. `path` is an address at the tenant (`/plan`), `action` the words on it."""

    subject: str
    paragraphs: tuple[str, ...]
    action: str
    path: str


@dataclass(frozen=True, slots=True)
class LetterKind:
    """A kind of letter by its name, and who writes it from the kept facts."""

    name: str
    write: Callable[[Tenant, Mapping[str, Any]], Letter]


def kind_named(name: str) -> LetterKind:
    """Raises KeyError."""
    kinds: dict[str, LetterKind] = {kind.name: kind for kind in declared_in("letters", "LETTERS")}
    return kinds[name]


def as_text(letter: Letter, *, url: str, organisation: str, footer: str = "") -> str:
    """The letter for programs that show no HTML. `footer` says why they get it who are no members."""
    why = footer or _footer(organisation)
    parts = [*letter.paragraphs, f"{letter.action}:\n{url}", f"-- \n{why}"]
    return "\n\n".join(parts) + "\n"


def as_html(letter: Letter, *, url: str, organisation: str, footer: str = "") -> str:
    """The same in the portal's colours; nothing in it is loaded from anywhere."""
    facts = {"letter": letter, "url": url, "footer": footer or _footer(organisation)}
    return render_to_string("mail/letter.html", facts)


def _footer(organisation: str) -> str:
    return _("Plaza sent you this as a member of %(organisation)s") % {"organisation": organisation}
