"""Starts services, watches them, restarts what crashes, and stops them in order."""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from config.local.leftovers import MARK, Register
from config.local.processes import Child
from config.local.signals import StopRequest
from config.local.terminal import Terminal
from config.local.trouble import Trouble, tells_full_disk

QUICK_SECONDS = 15.0  # who dies sooner after a start than this has not recovered
MOST_QUICK_CRASHES = 4
MOST_FAILED_STARTS = 2  # of one that has never been ready: trying on would not mend it
POLL_SECONDS = 0.03
HASTY_SECONDS = 1.0


@dataclass(slots=True)
class Service:
    """One process to keep alive.

    `spawn` gets the variables that mark the child as ours. `stop_rank`: lower ranks stop first,
    equal ones together. `must_tell`: not to be ready in `patience_seconds` ends the whole run.
    A restart comes 0.5, 1, 2, ... s after a quick crash.
    """

    name: str
    label: Callable[[], str]
    spawn: Callable[[dict[str, str]], Child]
    is_ready: Callable[[Child], bool]
    stop_rank: int
    stop_seconds: float = 10.0
    patience_seconds: float = 60.0
    must_tell: bool = True
    while_waiting: str = ""
    child: Child | None = None
    is_up: bool = False
    was_up: bool = False
    quick_crashes: int = 0
    restart_at: float = 0.0


@dataclass(slots=True)
class Supervisor:
    """The services of one run. Not for several threads: children die with the thread they have."""

    terminal: Terminal
    register: Register
    stop: StopRequest
    services: list[Service] = field(default_factory=list)

    def launch(self, *services: Service) -> None:
        """Start them all at once; `await_ready` waits for them."""
        for service in services:
            self.services.append(service)
            self._spawn(service)

    def await_ready(self, *services: Service) -> None:
        """Wait until each is ready, telling each one's time. Raises Trouble, StopAsked."""
        waited_since = time.monotonic()
        is_told = False
        while waiting := [service for service in services if not service.is_up]:
            self.step()
            slow = time.monotonic() - waited_since > 3
            if slow and not is_told:
                is_told = True
                for text in filter(None, (service.while_waiting for service in waiting)):
                    self.terminal.note(text)
            self.stop.pause(POLL_SECONDS)

    def watch(self, until: Callable[[], bool] = lambda: False) -> None:
        """Keep everything running until `until()` or a request to stop (StopAsked)."""
        while not until():
            self.step()
            self.stop.pause(0.2 if all(service.is_up for service in self.services) else 0.05)

    def step(self) -> None:
        """Look once at each service: is it ready now, has it ended, is its restart due?"""
        for service in self.services:
            child = service.child
            if child is None:
                if time.monotonic() >= service.restart_at:
                    self._spawn(service)
            elif child.has_ended():
                self._note_crash(service, child)
            elif not service.is_up:
                self._ask_ready(service, child)

    def stop_all(self) -> None:
        """Stop rank by rank, each with its time, then by force. Further requests hasten."""
        asked_before = self.stop.count
        for rank in sorted({service.stop_rank for service in self.services}):
            batch = [service for service in self.services if service.stop_rank == rank]
            self._stop_batch(batch, asked_before)
        self.services.clear()
        self.register.clear()

    def _stop_batch(self, batch: Sequence[Service], asked_before: int) -> None:
        children = [(service, service.child) for service in batch if service.child is not None]
        for _, child in children:
            child.ask_to_stop()
        began = time.monotonic()
        for service, child in children:
            while not child.has_ended():
                hurried = self.stop.count > asked_before
                allowed = HASTY_SECONDS if hurried else service.stop_seconds
                if time.monotonic() - began > allowed:
                    self.terminal.warn(f"{service.label()} did not stop in time: killed")
                    child.kill()
                time.sleep(0.02)

    def _spawn(self, service: Service) -> None:
        service.is_up = False
        service.child = service.spawn({MARK: self.register.mark})
        self.register.add(service.child)

    def _ask_ready(self, service: Service, child: Child) -> None:
        took = time.monotonic() - child.started_at
        if service.is_ready(child):
            service.is_up = service.was_up = True
            again = "again " if service.restart_at else ""
            self.terminal.done(f"{service.label()} {again}ready in {took:.1f} s")
        elif took > service.patience_seconds and not service.must_tell:
            service.is_up = service.was_up = True
            self.terminal.warn(f"{service.label()} runs but does not say that it is ready")
        elif took > service.patience_seconds:
            self.terminal.quote(child.last_words())
            raise Trouble(
                f"{service.label()} did not become ready in {took:.0f} s.",
                todo=f"Its log is {child.command.log}",
            )

    def _note_crash(self, service: Service, child: Child) -> None:
        lived = time.monotonic() - child.started_at
        service.quick_crashes = service.quick_crashes + 1 if lived < QUICK_SECONDS else 1
        self.terminal.warn(f"{service.label()} ended by itself ({child.ending()}). Its last words:")
        words = child.last_words()
        self.terminal.quote(words)
        most = MOST_QUICK_CRASHES if service.was_up else MOST_FAILED_STARTS
        if service.quick_crashes >= most:
            raise Trouble(
                f"{service.label()} crashed {service.quick_crashes} times in a row: giving up."
                + (" The disk is full." if tells_full_disk("\n".join(words)) else ""),
                todo=f"Its log is {child.command.log}",
            )
        delay = 0.25 * 2**service.quick_crashes
        self.terminal.note(f"starting it again in {delay:g} s")
        service.child = None
        service.is_up = False
        service.restart_at = time.monotonic() + delay
