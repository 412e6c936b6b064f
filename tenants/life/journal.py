"""What of an erasure is done: kept in `Erasure.steps`, in the transaction of the work itself.

So a kill anywhere neither repeats what is done nor forgets what was counted.
"""

import time
from collections.abc import Callable, Mapping
from typing import Any, TypeVar
from uuid import UUID

from psycopg import Connection, errors

Owner = Connection[tuple[Any, ...]]
Tell = Callable[[str], None]
T = TypeVar("T")
STEPS = ("tables", "schema", "role", "files", "keys", "public", "people", "tenant")
# A lock that is not had in this time is let go: nobody else must queue behind us for longer.
_SHORT_WAIT = "SET LOCAL lock_timeout = '500ms'"
_LOCKS = "SELECT count(*) FROM pg_locks WHERE pid = pg_backend_pid()"
_ATTEMPTS = 60
_LONGEST_PAUSE_SECONDS = 2.0
_COUNT = """
UPDATE public.tenants_erasure
   SET steps = jsonb_set(steps, %(path)s::text[],
                         to_jsonb(coalesce((steps #>> %(path)s::text[])::bigint, 0) + %(count)s))
 WHERE id = %(erasure)s
"""
_FOUND = """
UPDATE public.tenants_erasure SET steps = jsonb_set(steps, %(path)s::text[], to_jsonb(%(count)s))
 WHERE id = %(erasure)s AND steps #> %(path)s::text[] IS NULL
"""
_IS_DONE = "SELECT (steps #> %s::text[])::boolean FROM public.tenants_erasure WHERE id = %s"
_DONE = (
    "UPDATE public.tenants_erasure SET steps = jsonb_set(steps, %s::text[], 'true') WHERE id = %s"
)


def blank() -> dict[str, Any]:
    """The steps of an erasure that has not begun: {step: {"counts": {name: number}, "done": bool}}."""
    return {step: {"counts": {}, "done": False} for step in STEPS}


class Journal:
    """The steps of one erasure, over the owner's connection."""

    def __init__(self, owner: Owner, erasure_id: UUID) -> None:
        self.owner = owner
        self._erasure_id = erasure_id
        self.most_locks = 0

    def patiently(self, work: Callable[[], T]) -> T:
        """Run `work` in one small transaction that waits for no lock longer than half a second.

        Tried again, with growing pauses, for about two minutes. Raises psycopg's LockNotAvailable then.
        """
        pause = 0.05
        for _attempt in range(_ATTEMPTS):
            try:
                return self._at_once(work)
            except (errors.LockNotAvailable, errors.DeadlockDetected):
                time.sleep(pause)
                pause = min(pause * 2, _LONGEST_PAUSE_SECONDS)
        return self._at_once(work)

    def _at_once(self, work: Callable[[], T]) -> T:
        with self.owner.transaction():
            self.owner.execute(_SHORT_WAIT)
            answer = work()
            # Locks are held to the end of a transaction, so this is the most that it had.
            row = self.owner.execute(_LOCKS).fetchone()
            self.most_locks = max(self.most_locks, row[0] if row else 0)
            return answer

    def count(self, step: str, name: str, count: int) -> None:
        """Add to what a step has removed; to be called in the transaction that removes it."""
        facts = {"path": [step, "counts", name], "count": count, "erasure": self._erasure_id}
        self.owner.execute(_COUNT, facts)

    def found(self, step: str, counts: Mapping[str, int]) -> None:
        """State what there is of things that no transaction holds, before they go; the first word stands."""
        for name, count in counts.items():
            facts = {"path": [step, "counts", name], "count": count, "erasure": self._erasure_id}
            self.owner.execute(_FOUND, facts)

    def is_done(self, step: str) -> bool:
        row = self.owner.execute(_IS_DONE, [[step, "done"], self._erasure_id]).fetchone()
        return bool(row and row[0])

    def done(self, step: str) -> None:
        self.owner.execute(_DONE, [[step, "done"], self._erasure_id])
