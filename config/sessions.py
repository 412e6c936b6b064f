"""Sessions in PostgreSQL, whose keys are looked up only when they can be keys of ours."""

import re
from typing import Any

from django.contrib.sessions.backends.db import SessionStore as DatabaseStore

_KEY = re.compile(r"[a-z0-9]{32}")


class SessionStore(DatabaseStore):
    """A cookie that is no session key (a NUL in it, too long) is as good as none."""

    def _validate_session_key(self, key: Any) -> bool:
        return isinstance(key, str) and _KEY.fullmatch(key) is not None
