"""The engine without a model: it sets the prompt's own words into phrases by tone, language and channel.

It invents nothing and says what it is. The same order gives the same text.
"""

import re
from collections.abc import Iterator

from django.utils.translation import gettext_lazy as _

from apps.content.models import Kind
from apps.content.providers.phrases import LANGUAGES, TONE_WORDS, Phrases, Tone
from apps.content.providers.writer import Draft, LanguageUnknown, Order

ENGINE = "template"
NOTICE = _("Composed from the prompt by the offline template engine; no language model was asked.")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_WORD = re.compile(r"\w{5,40}")
_HASHTAGS = 3
_ELLIPSIS = "…"


class OfflineWriter:
    """Writes English and Spanish."""

    def write(self, order: Order) -> Draft:
        """Compose within the limits. Raises LanguageUnknown."""
        phrases = LANGUAGES.get(order.language.split("-")[0])
        if phrases is None:
            raise LanguageUnknown(tuple(LANGUAGES))
        tone = _tone(order.tone)
        topic, *rest = _sentences(order.prompt, phrases)
        return Draft(
            title=shortened(topic[:1].upper() + topic[1:], order.limits.title),
            body=_body(order, phrases, tone, topic, rest),
            engine=ENGINE,
            notice=str(NOTICE),
        )


def shortened(text: str, limit: int) -> str:
    """Give `text`, cut at a word's end with an ellipsis where it is longer than `limit` characters."""
    if len(text) <= limit:
        return text
    if limit < 1:
        return ""
    cut = text[: limit - 1]
    at_word = cut.rsplit(None, 1)[0] if " " in cut.strip() else cut
    return at_word.rstrip(" ,;:.") + _ELLIPSIS


def _tone(wish: str) -> Tone:
    words = re.findall(r"\w+", wish.lower())
    return next((TONE_WORDS[word] for word in words if word in TONE_WORDS), Tone.NEUTRAL)


def _sentences(prompt: str, phrases: Phrases) -> list[str]:
    """Split the prompt; its first sentence is given without its full stop and without “Write an e-mail about”."""
    first, *rest = _SENTENCE_END.split(" ".join(prompt.split()))
    asked = phrases.instruction.match(first)
    topic = (first[asked.end() :] if asked else first).strip(" .!?")
    return [topic or first, *rest]


def _body(order: Order, phrases: Phrases, tone: Tone, topic: str, rest: list[str]) -> str:
    opening = phrases.opening[tone].format_map({"topic": topic})
    audience = phrases.audience.format_map({"audience": order.audience.strip(" .")})
    optional = [" ".join(rest), audience if order.audience.strip() else "", phrases.call[tone]]
    parts = [opening, *(part for part in optional if part)]
    before = [phrases.greeting[tone]] if order.kind is Kind.EMAIL else []
    after = [phrases.farewell[tone]] if order.kind is Kind.EMAIL else []
    if order.kind is Kind.SOCIAL:
        after = [" ".join(_hashtags(topic, phrases))]
    gap = " " if order.limits.body < 500 else "\n\n"
    return _fitted([*before, *parts], after, gap, order.limits.body)


def _fitted(parts: list[str], after: list[str], gap: str, limit: int) -> str:
    """As many whole parts as fit; if not even the first does, the first, cut."""
    ending = [part for part in after if part]
    for count in range(len(parts), 0, -1):
        for tail in (ending, []):
            text = gap.join([*parts[:count], *tail])
            if len(text) <= limit:
                return text
    return shortened(parts[0], limit)


def _hashtags(topic: str, phrases: Phrases) -> Iterator[str]:
    words = dict.fromkeys(word.lower() for word in _WORD.findall(topic))
    kept = [word for word in words if word not in phrases.stop_words and not word.isdecimal()]
    yield from (f"#{word}" for word in kept[:_HASHTAGS])
