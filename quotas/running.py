"""What this process has let in and not answered yet: its leases in Redis, ended when the answer is known.

The end is sent before the client gets its answer, and not waited for: a process that is killed then has
counted what it answered. What it had not answered gives itself back when its lease runs out.
"""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field, replace

from config.logs import logger
from config.quick_redis import RedisAway
from quotas import api_calls, callers
from quotas.counters import counters, member_of, patient_counters, running_key
from quotas.verdicts import Calls, Lease

log = logger(__name__)
LEASE_SECONDS = 60


@dataclass(slots=True, eq=False)
class Ticket:
    """One request that was let in. `lease` None: Redis was away, or nothing of it is counted."""

    calls: Calls
    lease: Lease | None = None
    epoch: str = ""
    _renewed_at: float = field(default_factory=time.monotonic)

    def settle(self, *, kept: int) -> None:
        """The work is over: `kept` of its calls are counted, at most those reserved, and the rest given back."""
        if self.lease is not None:
            _running.pop(self.lease.holder, None)
        counted = None
        done = replace(self.calls, asked=min(kept, self.calls.asked))
        if done.asked:
            counted = api_calls.count(done, epoch=self.epoch)
            callers.note(done)
        if self.lease is None:
            return
        try:
            counters().settle(self.calls, self.lease, epoch=self.epoch, counted=counted)
        except RedisAway:
            # The lease ends by itself; the ledger knows the calls by now, and tells Redis.
            log.info("gate.lease_left")

    def is_due(self, now: float) -> bool:
        """Whether a third of its lease is over, by the monotonic clock."""
        return self.lease is not None and now - self._renewed_at > self.lease.seconds / 3

    def renewed(self, at: float) -> None:
        self._renewed_at = at


_running: dict[str, Ticket] = {}
_renewing = threading.Lock()


def begin(ticket: Ticket) -> Ticket:
    """From now on its lease is renewed until it is settled."""
    if ticket.lease is not None:
        _running[ticket.lease.holder] = ticket
    return ticket


def renew_leases() -> int:
    """Prolong those of requests that take long; how many they are."""
    with _renewing:
        now = time.monotonic()
        due = [ticket for ticket in list(_running.values()) if ticket.is_due(now)]
        by_key: defaultdict[tuple[str, int], list[str]] = defaultdict(list)
        for ticket in due:
            if ticket.lease is not None:
                key = running_key(ticket.calls.tenant_id, ticket.calls.period_start)
                member = member_of(ticket.lease, ticket.calls)
                by_key[key, ticket.lease.seconds].append(member)
        try:
            for (key, seconds), members in by_key.items():
                patient_counters().renew(key, members, seconds=seconds)
        except RedisAway:
            log.info("gate.leases_not_renewed")
            return 0
        for ticket in due:
            ticket.renewed(now)
    return len(due)
