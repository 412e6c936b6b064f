"""The offline engine's words, by language and tone. `{topic}` is what the prompt is about."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


class Tone(StrEnum):
    NEUTRAL = "neutral"
    FORMAL = "formal"
    FRIENDLY = "friendly"
    URGENT = "urgent"


# What people call a tone, in both languages; another word is neutral.
TONE_WORDS: Mapping[str, Tone] = {
    **dict.fromkeys(("formal", "professional", "profesional", "serious", "serio"), Tone.FORMAL),
    **dict.fromkeys(
        ("friendly", "warm", "casual", "playful", "amigable", "cercano", "informal"), Tone.FRIENDLY
    ),
    **dict.fromkeys(("urgent", "bold", "urgente", "directo"), Tone.URGENT),
}


@dataclass(frozen=True, slots=True)
class Phrases:
    """One language: openings and calls by tone, an e-mail's frame, and what a prompt begins with."""

    opening: Mapping[Tone, str]
    call: Mapping[Tone, str]
    greeting: Mapping[Tone, str]
    farewell: Mapping[Tone, str]
    audience: str
    instruction: re.Pattern[str]
    stop_words: frozenset[str]


_EN = Phrases(
    opening={
        Tone.NEUTRAL: "A word about {topic}.",
        Tone.FORMAL: "We would like to inform you about {topic}.",
        Tone.FRIENDLY: "We have something for you: {topic}.",
        Tone.URGENT: "Do not wait: {topic}.",
    },
    call={
        Tone.NEUTRAL: "Learn more on our site.",
        Tone.FORMAL: "We remain at your disposal for any question.",
        Tone.FRIENDLY: "Come and have a look!",
        Tone.URGENT: "Act today.",
    },
    greeting={
        Tone.NEUTRAL: "Hello,",
        Tone.FORMAL: "Dear reader,",
        Tone.FRIENDLY: "Hi there,",
        Tone.URGENT: "Hello,",
    },
    farewell={
        Tone.NEUTRAL: "Kind regards",
        Tone.FORMAL: "Yours faithfully",
        Tone.FRIENDLY: "See you soon",
        Tone.URGENT: "Kind regards",
    },
    audience="For {audience}.",
    instruction=re.compile(
        r"(?:please )?(?:write|create|generate|compose|draft|make)(?: me| us)?(?: [\w-]+){0,5}?"
        r" (?:about|announcing|promoting|on|for) ",
        re.IGNORECASE,
    ),
    stop_words=frozenset(
        [
            "about",
            "after",
            "again",
            "their",
            "there",
            "these",
            "those",
            "which",
            "while",
            "would",
            "your",
        ]
    ),
)
_ES = Phrases(
    opening={
        Tone.NEUTRAL: "Unas palabras sobre {topic}.",
        Tone.FORMAL: "Nos complace informarle sobre {topic}.",
        Tone.FRIENDLY: "Tenemos algo para ti: {topic}.",
        Tone.URGENT: "No esperes: {topic}.",
    },
    call={
        Tone.NEUTRAL: "Más información en nuestro sitio.",
        Tone.FORMAL: "Quedamos a su disposición para cualquier consulta.",
        Tone.FRIENDLY: "¡Ven a verlo!",
        Tone.URGENT: "Actúa hoy.",
    },
    greeting={
        Tone.NEUTRAL: "Hola:",
        Tone.FORMAL: "Estimado lector:",
        Tone.FRIENDLY: "¡Hola!",
        Tone.URGENT: "Hola:",
    },
    farewell={
        Tone.NEUTRAL: "Saludos",
        Tone.FORMAL: "Atentamente",
        Tone.FRIENDLY: "¡Hasta pronto!",
        Tone.URGENT: "Saludos",
    },
    audience="Para {audience}.",
    instruction=re.compile(
        r"(?:por favor,? )?(?:escribe|escriba|crea|cree|genera|genere|redacta|redacte|haz)(?: [\w-]+){0,5}?"
        r" (?:sobre|acerca de|anunciando|promocionando|para) ",
        re.IGNORECASE,
    ),
    stop_words=frozenset(
        [
            "antes",
            "aquel",
            "cuando",
            "desde",
            "donde",
            "entre",
            "estas",
            "estos",
            "nuestra",
            "nuestro",
            "sobre",
        ]
    ),
)
LANGUAGES: Mapping[str, Phrases] = {"en": _EN, "es": _ES}
