"""Sessions in PostgreSQL, signed for one tenant; keys are looked up only when they can be keys of ours."""

import re
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

from config.context import Place, at_place, whose

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(DatabaseStore):
    """A cookie that is no session key (a NUL in it, too long), or is another tenant's, is as good as none."""

    @property
    def key_salt(self) -> str:
        """What a session holds is signed for its tenant (or the square): elsewhere it cannot be read."""
        return f"plaza.sessions.{whose()}"

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None

    # Sessions are rows of the square, read and written while a tenant's request is served.

    def load(self) -> Any:
        with at_place(Place.LOOKUP):
            found = super().load()
        if not found:
            self._session_key = None  # so that nothing is written over another tenant's
        return found

    def exists(self, session_key: str) -> bool:
        with at_place(Place.LOOKUP):
            return bool(super().exists(session_key))

    def save(self, must_create: bool = False) -> None:  # noqa: FBT001, FBT002 (Django's signature)
        with at_place(Place.SQUARE):
            super().save(must_create)

    def delete(self, session_key: str | None = None) -> None:
        with at_place(Place.SQUARE):
            super().delete(session_key)
