"""One wave: look at what each schema lacks, sort them by how they can be migrated, do it."""

from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed

from tenants.fleet import ledger, names
from tenants.fleet.ledger import Laggard
from tenants.fleet.names import Key
from tenants.fleet.patience import Patience
from tenants.fleet.replay import Recording, Replay, Replayed
from tenants.fleet.run import Run
from tenants.fleet.steps import HalfSquashed, Steps, Todo
from tenants.fleet.warm import WarmExecutor, noting_sql

Member = tuple[Laggard, Todo]
Kind = tuple[tuple[Key, ...], str]  # what is lacking, and the fingerprint of the names
_READ_AT_ONCE = 50


class NoSchema(Exception):
    """The tenant's schema, or its list of migrations, is not there."""


class Waves:
    """Runs one wave after the other; what was recorded in one serves the next."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._recordings: dict[Kind, Recording] = {}
        self._steps = Steps()
        patience = Patience(run.orders.lock_timeout_ms, run.orders.tries)
        version = run.outcome.version
        self._warm = WarmExecutor(self._steps, owner=run.owner, version=version, patience=patience)
        self._replay = Replay(run.connections, version=version, patience=patience)

    def run(self, members: list[Laggard]) -> None:
        """Migrate `members`. Sets `outcome.stopped` when too many of them failed for the first time."""
        run = self._run
        run.failures = 0
        alike, single, done = self._sorted(members)
        self._settle(done)
        with ThreadPoolExecutor(run.orders.connections) as threads:
            futures = [
                threads.submit(self._batch, recording, batch)
                for recording, batch in self._recorded(alike)
            ]
            for laggard, todo in single:
                self._run_warm(laggard, todo)
            self._collect(futures)
        if members and run.failures / len(members) > run.orders.stop_at:
            told = f"{run.failures} of {len(members)} schemas of this wave failed: no further wave."
            run.outcome.stopped = told

    # --- looking ----------------------------------------------------------------------------------

    def _sorted(
        self, members: list[Laggard]
    ) -> tuple[dict[Kind, list[Member]], list[Member], list[Member]]:
        """Those that can be replayed by kind, those for the warm executor, those with nothing to run."""
        alike: dict[Kind, list[Member]] = defaultdict(list)
        single: list[Member] = []
        done: list[Member] = []
        fingerprints = names.fingerprints(self._run.owner, [each.schema for each in members])
        for laggard, todo in self._with_todo(members):
            found = fingerprints.get(laggard.schema, "")
            if not todo.steps:
                done.append((laggard, todo))
                continue
            self._run.note_drift(laggard, found)
            if todo.is_replayable():
                alike[todo.keys, found].append((laggard, todo))
            else:
                single.append((laggard, todo))
        return alike, single, done

    def _with_todo(self, members: list[Laggard]) -> Iterator[Member]:
        for start in range(0, len(members), _READ_AT_ONCE):
            slice_ = members[start : start + _READ_AT_ONCE]
            with self._run.connections.taken(len(slice_)) as owner:
                applied = names.applied(owner, [each.schema for each in slice_])
            for laggard in slice_:
                todo = self._todo(laggard, applied.get(laggard.schema))
                if todo is not None:
                    yield laggard, todo

    def _todo(self, laggard: Laggard, applied: frozenset[Key] | None) -> Todo | None:
        if applied is None:
            self._run.failed(laggard, NoSchema(f"{laggard.schema} has no list of migrations."))
            return None
        try:
            return self._steps.todo(applied)
        except HalfSquashed as error:
            self._run.failed(laggard, error)
            return None

    # --- doing ------------------------------------------------------------------------------------

    def _settle(self, done: list[Member]) -> None:
        """Somebody else migrated these (`migrate_schemas`, a run that was killed): only note it."""
        for start in range(0, len(done), _READ_AT_ONCE):
            members = done[start : start + _READ_AT_ONCE]
            laggards = [laggard for laggard, _ in members]
            with self._run.connections.taken(len(members)) as owner, owner.transaction():
                for laggard, todo in members:
                    for statement in noting_sql(laggard.schema, todo.noted):
                        owner.execute(statement.encode())
                ledger.settle(owner, laggards, version=self._run.outcome.version)
            for laggard in laggards:
                self._run.succeeded(laggard)

    def _recorded(
        self, alike: dict[Kind, list[Member]]
    ) -> Iterator[tuple[Recording, list[Member]]]:
        """Batches with what is to be replayed in them; the first of a kind is migrated here, and recorded."""
        for kind, members in alike.items():
            while members and kind not in self._recordings and not self._run.brake.is_pulled():
                laggard, todo = members.pop(0)
                ran = self._run_warm(laggard, todo)
                if ran is not None and not any(laggard.schema in each for each in ran):
                    self._recordings[kind] = Recording(*kind, tuple(ran))
            if kind in self._recordings:
                recording = self._recordings[kind]
                size = recording.schemas_per_commit(self._run.orders.schemas_per_commit)
                for start in range(0, len(members), size):
                    yield recording, members[start : start + size]

    def _batch(self, recording: Recording, members: list[Member]) -> list[Replayed]:
        if self._run.brake.is_pulled():
            return []
        return self._replay.batch(recording, members)

    def _collect(self, futures: list[Future[list[Replayed]]]) -> None:
        again: list[Laggard] = []
        for future in as_completed(futures):
            for replayed in future.result():
                if replayed.error is None:
                    self._run.succeeded(replayed.laggard)
                elif replayed.may_go_warm:
                    again.append(replayed.laggard)
                else:
                    self._run.failed(replayed.laggard, replayed.error)
        # Read anew: a guard refuses what somebody else has migrated meanwhile.
        for laggard, todo in self._with_todo(again):
            self._run_warm(laggard, todo)

    def _run_warm(self, laggard: Laggard, todo: Todo) -> list[str] | None:
        """The statements that ran; None where it failed, or is not to be begun any more."""
        if self._run.brake.is_pulled():
            return None
        try:
            ran = self._warm.run(laggard, todo)
        except Exception as error:  # noqa: BLE001  a migration may raise anything: it is told and kept
            self._run.failed(laggard, error)
            return None
        self._run.succeeded(laggard)
        return ran
