"""A member's sign-ins: opened with where they began, seen now and then, and listed. signing_out.py ends them."""

from datetime import datetime, timedelta
from uuid import UUID

from django.conf import settings
from django.db.models import Q, QuerySet

from config.ids import new_id
from tenants.isolation import on_square
from tenants.models import Member, SignIn
from tenants.trail.origin import origin

_NOTED_EVERY = timedelta(minutes=5)


def open_sign_in(
    *,
    member: Member,
    kind: SignIn.Kind,
    now: datetime,
    has_second_factor: bool = False,
) -> SignIn:
    """Note that `member` signs in, and from where, as the request in hand tells."""
    come_from = origin()
    return SignIn.objects.create(
        id=new_id(),
        member=member,
        kind=kind,
        address=come_from.address[:45],
        user_agent=come_from.user_agent,
        created_at=now,
        last_seen_at=now,
        has_second_factor=has_second_factor,
    )


def note_seen(*, sign_in_id: UUID, last_seen_at: datetime, now: datetime) -> None:
    """Remember that it is used, at most every five minutes."""
    if last_seen_at <= now - _NOTED_EVERY:
        with on_square():
            SignIn.objects.filter(pk=sign_in_id).update(last_seen_at=now)


def note_factor(*, sign_in_id: UUID | None) -> None:
    """That it proved a second factor since it began: of tokens the next one says so."""
    if sign_in_id is not None:
        SignIn.objects.filter(pk=sign_in_id).update(has_second_factor=True)


def open_sign_ins(*, member: Member, now: datetime) -> QuerySet[SignIn]:
    """Those of this member by which somebody may still come in, the last seen first."""
    sessions_from = now - timedelta(seconds=settings.SESSION_COOKIE_AGE)
    tokens_from = now - timedelta(days=settings.REFRESH_TOKEN_DAYS)
    live_sessions = Q(kind=SignIn.Kind.SESSION, created_at__gt=sessions_from)
    live_tokens = Q(kind=SignIn.Kind.TOKEN, last_seen_at__gt=tokens_from)
    found = SignIn.objects.filter(live_sessions | live_tokens, member=member, ended_at=None)
    return found.order_by("-last_seen_at", "-pk")


def close(rows: QuerySet[SignIn], *, now: datetime) -> int:
    """Say of these that they ended; how many had not."""
    return rows.filter(ended_at=None).update(ended_at=now)


def forget_old(*, now: datetime) -> int:
    """Sign-ins that nothing can come of any more; how many those were."""
    days = timedelta(days=settings.REFRESH_TOKEN_DAYS, seconds=settings.SESSION_COOKIE_AGE)
    return SignIn.objects.filter(last_seen_at__lte=now - days).delete()[0]
