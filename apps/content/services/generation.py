"""Have a text written and keep it as a draft piece."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as translated

from apps.content.channels import LIMITS, USUAL_CHANNEL
from apps.content.models import Brief, Channel, Kind, Piece
from apps.content.providers.offline import OfflineWriter
from apps.content.providers.writer import Draft, LanguageUnknown, Order, Writer
from apps.content.services import briefs, pieces
from config.context import require_tenant
from config.errors import ValidationFailed
from config.ids import new_id
from config.needs import Meter
from quotas.reserving import reserved

DEFAULT_LANGUAGE = "en"


@dataclass(frozen=True, slots=True)
class Wish:
    """What a client asks to be generated; what it leaves out comes from the brief, else from the type."""

    kind: Kind
    prompt: str
    brief_id: UUID | None = None
    channel: str | None = None
    language: str | None = None
    tone: str = ""
    audience: str = ""


@dataclass(frozen=True, slots=True)
class Generated:
    """The piece that was kept, its type, and the engine's notice on how it came about."""

    piece: Piece
    kind: Kind
    notice: str


def generate(
    *, wish: Wish, by_id: UUID | None, now: datetime, writer: Writer | None = None
) -> Generated:
    """Write and keep a draft, counted against the plan.

    Raises BriefNotApproved, ValidationFailed (`brief_id`, `channel`, `language`), QuotaExceeded, SpendCapReached.
    """
    brief = _brief(wish)
    channel = Channel(wish.channel or _usual_channel(wish.kind, brief))
    language = wish.language or (
        brief.languages[0] if brief and brief.languages else DEFAULT_LANGUAGE
    )
    order = Order(
        kind=wish.kind,
        prompt=wish.prompt,
        language=language,
        limits=LIMITS[channel],
        tone=wish.tone or (brief.tone if brief else ""),
        audience=wish.audience or (brief.audience if brief else ""),
        guidelines=brief.guidelines if brief else "",
    )
    fields: dict[str, Any] = {"channel": channel, "language": language, "brief_id": wish.brief_id}
    piece, draft = _written_and_kept(writer or OfflineWriter(), order, fields, by_id=by_id, now=now)
    return Generated(piece=piece, kind=wish.kind, notice=draft.notice)


def _written_and_kept(
    writer: Writer, order: Order, fields: dict[str, Any], *, by_id: UUID | None, now: datetime
) -> tuple[Piece, Draft]:
    """Take one generation, have it written, and keep it; whatever fails gives the generation back."""
    piece_id = new_id()
    with reserved(
        tenant_id=require_tenant().id,
        meter=Meter.TEXT_GENERATIONS,
        quantity=1,
        key=f"piece:{piece_id}",
        now=now,
    ) as held:
        # Written outside any transaction of ours: an engine may be a slow server.
        draft = _written(writer, order)
        made = {"title": draft.title, "body": draft.body, "engine": draft.engine}
        with transaction.atomic():
            piece = pieces.create(fields={"id": piece_id, **fields, **made}, by_id=by_id, now=now)
            held.keep()
    return piece, draft


def _brief(wish: Wish) -> Brief | None:
    if wish.brief_id is None:
        return None
    return briefs.approved(brief_id=wish.brief_id, channel=wish.channel, language=wish.language)


def _usual_channel(kind: Kind, brief: Brief | None) -> str:
    """Choose the type's own channel where the brief allows it, else the brief's first."""
    usual = USUAL_CHANNEL[kind]
    named = brief.channels if brief else []
    return usual if not named or usual in named else named[0]


def _written(writer: Writer, order: Order) -> Draft:
    try:
        return writer.write(order)
    except LanguageUnknown as error:
        message = translated("This engine writes only %(known)s.") % {
            "known": ", ".join(error.known)
        }
        raise ValidationFailed(errors={"language": [message]}) from error
