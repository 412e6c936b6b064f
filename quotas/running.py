"""What this process has let in and not answered yet: its leases in Redis, ended when the answer is known.

The end is sent before the client gets its answer, and not waited for: a process that is killed then has
counted what it answered. What it had not answered gives itself back when its lease runs out.
"""

import threading
import time
from collections import defaultdict
from dataclasses import dataclass, field

from config.logs import logger
from config.quick_redis import RedisAway
from quotas import api_calls
from quotas.counters import counters, member_of, patient_counters, running_key
from quotas.verdicts import Calls, Lease

log = logger(__name__)
LEASE_SECONDS = 60
_RENEW_AFTER_SECONDS = 20.0


@dataclass(slots=True, eq=False)
class Ticket:
    """One request that was let in. `lease` None: Redis was away, or nothing of it is counted."""

    calls: Calls
    lease: Lease | None = None
    epoch: str = ""
    _began: float = field(default_factory=time.monotonic)

    def settle(self, *, kept: bool) -> None:
        """The work is done (`kept`), or was refused or failed: then its calls are given back."""
        if self.lease is not None:
            _running.pop(self.lease.holder, None)
        if kept and self.calls.asked:
            api_calls.count(self.calls, epoch=self.epoch)
        if self.lease is None:
            return
        try:
            counters().settle(self.calls, self.lease, epoch=self.epoch, kept=kept)
        except RedisAway:
            # The lease ends by itself; the ledger knows the calls by now, and tells Redis.
            log.info("gate.lease_left")

    @property
    def is_old(self) -> bool:
        return time.monotonic() - self._began > _RENEW_AFTER_SECONDS


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
        old = [ticket for ticket in list(_running.values()) if ticket.is_old]
        by_key: defaultdict[str, list[str]] = defaultdict(list)
        for ticket in old:
            if ticket.lease is not None:
                key = running_key(ticket.calls.tenant_id, ticket.calls.period_start)
                by_key[key].append(member_of(ticket.lease, ticket.calls))
        try:
            for key, members in by_key.items():
                patient_counters().renew(key, members, seconds=LEASE_SECONDS)
        except RedisAway:
            log.info("gate.leases_not_renewed")
            return 0
    return len(old)
