"""How the platform stands: readings of PostgreSQL and Redis, taken when `/metrics/platform` is asked for.

A process counts what it does itself (config/request_metrics.py); what lies in the servers is nobody's in
particular, and one process is asked for it by Prometheus. Each package declares its own in `measures.py`.
Labels are bounded: states, meters, queues, currencies; never a tenant.
"""

import threading
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import cache

import redis
from django.db import DatabaseError, InterfaceError
from django.utils.module_loading import autodiscover_modules
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily

from config.context import Place, at_place
from config.logs import logger
from config.quick_redis import RedisAway

log = logger(__name__)
# Values of the labels, and what was read under them.
Reading = tuple[tuple[str, ...], float]
Read = Callable[[datetime], Iterable[Reading]]
UP = "plaza_measure_up"


@dataclass(frozen=True, slots=True)
class Measure:
    """A gauge that `read(now)` takes; a costly one at most once in `every_seconds` in a process."""

    name: str
    meaning: str
    labels: tuple[str, ...]
    every_seconds: float
    read: Read


_declared: dict[str, Measure] = {}
_kept: dict[str, tuple[float, list[Reading]]] = {}
# Who asks while another reads gets what that one finds: a slow server is not asked by many.
_reading = threading.Lock()


def measure(
    name: str, meaning: str, *, labels: tuple[str, ...] = (), every_seconds: float = 0
) -> Callable[[Read], Read]:
    """Declare a gauge. The function runs on the square."""

    def declare(read: Read) -> Read:
        _declared[name] = Measure(name, meaning, labels, every_seconds, read)
        return read

    return declare


@cache
def declared() -> dict[str, Measure]:
    """Every measure by its name, of all packages."""
    autodiscover_modules("measures")
    return _declared


def exposition(*, now: datetime) -> bytes:
    """All of them in Prometheus's text format. One that fails is left out, and told by `plaza_measure_up`."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Readings(now))
    with _reading:
        return generate_latest(registry)


class _Readings:
    def __init__(self, now: datetime) -> None:
        self._now = now

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily(UP, "Whether a measure could be read.", labels=["measure"])
        for each in declared().values():
            found = _read(each, self._now)
            up.add_metric([each.name], 0.0 if found is None else 1.0)
            if found is not None:
                yield _family(each, found)
        yield up


def _family(each: Measure, readings: Iterable[Reading]) -> GaugeMetricFamily:
    family = GaugeMetricFamily(each.name, each.meaning, labels=each.labels)
    for values, amount in readings:
        family.add_metric(values, amount)
    return family


@at_place(Place.SQUARE)
def _read(each: Measure, now: datetime) -> list[Reading] | None:
    kept = _kept.get(each.name)
    if kept is not None and time.monotonic() - kept[0] < each.every_seconds:
        return kept[1]
    try:
        found = list(each.read(now))
    except (DatabaseError, InterfaceError, RedisAway, redis.RedisError) as error:
        log.warning("measure.failed", extra={"measure": each.name, "reason": type(error).__name__})
        return None
    _kept[each.name] = (time.monotonic(), found)
    return found


def seconds_since(moment: datetime | None, now: datetime) -> float:
    """How long ago it was; 0 where there was none."""
    return 0.0 if moment is None else max(0.0, (now - moment).total_seconds())
