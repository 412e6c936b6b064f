"""The rates while Redis is away: the same GCRA in this process's memory, at a share of the plan's rate."""

import math
import threading
import time
from collections.abc import Callable, Sequence

from quotas.entitlements import Rate
from quotas.verdicts import Bucket, RateState, Verdict

# So many web processes together stay within the plan's rate. More processes than this could exceed
# it while Redis is away.
LOCAL_SHARE = 8
_FORGET_ABOVE_KEYS = 50_000
# Seconds are floats here: half a microsecond is no reason to refuse.
_ROUNDING_SECONDS = 5e-7


class LocalLimiter:
    """Counts in memory; forgets what has run full again."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._lock = threading.Lock()
        self._arrivals: dict[str, float] = {}
        self._forget_above = _FORGET_ABOVE_KEYS

    def take(self, buckets: Sequence[Bucket]) -> Verdict:
        """Take from all buckets, or from none when one refuses."""
        shares = [_Share(bucket) for bucket in buckets]
        with self._lock:
            now = self._clock()
            arrivals = [max(self._arrivals.get(share.key, now), now) for share in shares]
            over = [share.over(at, now) for share, at in zip(shares, arrivals, strict=True)]
            refused = next(
                (index for index, seconds in enumerate(over) if seconds > _ROUNDING_SECONDS), None
            )
            if refused is None:
                arrivals = [share.after(at) for share, at in zip(shares, arrivals, strict=True)]
                self._arrivals |= {
                    share.key: at for share, at in zip(shares, arrivals, strict=True)
                }
                self._forget(now)
        return Verdict(
            rates=tuple(share.state(at, now) for share, at in zip(shares, arrivals, strict=True)),
            refused_by="" if refused is None else shares[refused].bucket.name,
            retry_seconds=0.0 if refused is None else over[refused],
        )

    def _forget(self, now: float) -> None:
        if len(self._arrivals) > self._forget_above:
            self._arrivals = {key: at for key, at in self._arrivals.items() if at > now}
            self._forget_above = max(_FORGET_ABOVE_KEYS, 2 * len(self._arrivals))


class _Share:
    """One bucket at this process's share."""

    def __init__(self, bucket: Bucket) -> None:
        rate = Rate(max(1, bucket.rate.limit // LOCAL_SHARE), bucket.rate.seconds)
        self.bucket = Bucket(bucket.name, bucket.key, rate, bucket.cost)
        self.key = bucket.key
        self._interval = self.bucket.interval / 1_000_000
        self._full = self._interval * rate.limit

    def after(self, arrival: float) -> float:
        return arrival + self._interval * self.bucket.charge

    def over(self, arrival: float, now: float) -> float:
        """Seconds until this would pass; none above zero means that it passes."""
        return self.after(arrival) - now - self._full

    def state(self, arrival: float, now: float) -> RateState:
        return RateState(
            name=self.bucket.name,
            rate=self.bucket.rate,
            remaining=max(0, math.floor((now + self._full - arrival) / self._interval + 1e-6)),
            resets_seconds=math.ceil(arrival - now),
        )
