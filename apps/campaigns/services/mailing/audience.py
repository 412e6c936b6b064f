"""Whom a campaign is for: `{"everyone": true}` or `{"tags": […]}`, less `{"without_tags": […]}`.

Whoever has not consented to marketing by e-mail, has no address or is archived is never in it.
"""

from typing import Any

from django.utils.translation import gettext as _

from apps.crm.services.reaching import Audience
from config.errors import ValidationFailed

_MOST_TAGS = 100
_KEYS = frozenset({"everyone", "tags", "without_tags"})


def audience_of(told: Any) -> Audience:
    """What `target_audience` says. Raises ValidationFailed under it: words are for people, not for sending."""
    if not isinstance(told, dict) or not told or set(told) - _KEYS:
        raise _not_understood()
    everyone = told.get("everyone", False)
    tags, without = _named(told, "tags"), _named(told, "without_tags")
    if (everyone is not True and (everyone or not tags)) or (everyone and "tags" in told):
        raise _not_understood()
    return Audience(tags=None if everyone else tags, without_tags=without)


def _named(told: dict[str, Any], key: str) -> tuple[str, ...]:
    words = told.get(key, [])
    is_list = isinstance(words, list) and len(words) <= _MOST_TAGS
    if not is_list or not all(isinstance(word, str) and word for word in words):
        raise _not_understood()
    return tuple(words)


def _not_understood() -> ValidationFailed:
    message = _(
        'To send, say {"everyone": true} or {"tags": ["…"]}, and what you like of {"without_tags": ["…"]}.'
    )
    return ValidationFailed(errors={"target_audience": [message]})
