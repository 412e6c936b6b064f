"""The code's migrations in order, with the states of the models around each operation: built once, used for every schema."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from django.apps import apps
from django.conf import settings
from django.db.migrations import Migration, RunSQL, SeparateDatabaseAndState
from django.db.migrations.loader import MigrationLoader
from django.db.migrations.operations.base import Operation
from django.db.migrations.state import ProjectState

from tenants.fleet.names import Key

# What these define becomes SQL by the schema editor alone; an operation of our own may do anything.
_DJANGOS = ("django.db.migrations.operations.", "django.contrib.postgres.operations")


Forwards = tuple[Operation, ProjectState, ProjectState]


class HalfSquashed(Exception):
    """Some of the migrations that a squashed one replaces are applied, and some are not."""


@dataclass(slots=True, eq=False)
class Step:
    """One migration. `forwards` are its operations with the states before and after each."""

    key: Key
    migration: Migration
    is_tenants: bool
    forwards: list[Forwards] = field(default_factory=list)

    @property
    def name(self) -> str:
        return ".".join(self.key)

    @property
    def is_transaction(self) -> bool:
        return bool(self.migration.atomic)

    @property
    def rows(self) -> list[Key]:
        """What it writes into django_migrations: itself, and what it replaces."""
        return [*((app, name) for app, name in self.migration.replaces), self.key]

    def is_replayable(self) -> bool:
        """Whether the SQL that it makes in one schema is the SQL that it would make in an equal one."""
        return self.is_transaction and all(map(_is_plain_sql, self.migration.operations))

    def is_applied(self, applied: frozenset[Key]) -> bool:
        """Raises HalfSquashed."""
        replaced = [row in applied for row in self.rows[:-1]]
        if self.key in applied or (replaced and all(replaced)):
            return True
        if any(replaced):
            raise HalfSquashed(
                f"{self.name} replaces migrations of which this schema has only some:"
                " run `manage.py migrate_schemas --schema=…` with the release that still has them."
            )
        return False


@dataclass(frozen=True, slots=True)
class Todo:
    """What a schema lacks: steps to run, and rows that are only to be noted (the square's, squashed ones)."""

    steps: tuple[Step, ...]
    noted: tuple[Key, ...]

    @property
    def keys(self) -> tuple[Key, ...]:
        return tuple(step.key for step in self.steps)

    def is_replayable(self) -> bool:
        return all(step.is_replayable() for step in self.steps)


class Steps:
    """The plan of the code on disk."""

    def __init__(self) -> None:
        self._loader = MigrationLoader(None)
        tenants_apps = {
            config.label for config in apps.get_app_configs() if config.name in settings.TENANT_APPS
        }
        graph = self._loader.graph
        order: dict[Key, None] = {}
        for leaf in graph.leaf_nodes():  # as Django would run them on an empty database
            order |= dict.fromkeys(graph.forwards_plan(leaf))
        self._all = [Step(key, graph.nodes[key], key[0] in tenants_apps) for key in order]
        self._reached = 0
        self._state = ProjectState(real_apps=self._loader.unmigrated_apps)

    def todo(self, applied: frozenset[Key]) -> Todo:
        """What a schema that has `applied` lacks. Raises HalfSquashed."""
        steps, noted = [], []
        for step in self._all:
            is_applied = step.is_applied(applied)
            if step.is_tenants and not is_applied:
                steps.append(step)
            else:
                # django-tenants notes the square's migrations in each schema too, and would miss them.
                rows = [step.key] if is_applied else step.rows
                noted += [row for row in rows if row not in applied]
        return Todo(tuple(steps), tuple(noted))

    def with_states(self, todo: Todo) -> Iterator[Step]:
        """The steps of `todo`, each with its states. The first time that takes about a second."""
        for step in todo.steps:
            if len(step.forwards) < len(step.migration.operations):
                self._go_to(self._all.index(step))
                self._fill(step)
            yield step

    def _go_to(self, position: int) -> None:
        """Let the state be that before the migration at `position`."""
        if position < self._reached:
            self._reached, self._state = 0, ProjectState(real_apps=self._loader.unmigrated_apps)
        for step in self._all[self._reached : position]:
            self._state = step.migration.mutate_state(self._state, preserve=False)
        self._reached = position

    def _fill(self, step: Step) -> None:
        state = self._state.clone()
        _ = state.apps  # rendered here once; the copies below take it with them
        for operation in step.migration.operations:
            before = state.clone()
            operation.state_forwards(step.migration.app_label, state)
            step.forwards.append((operation, before, state.clone()))


def _is_plain_sql(operation: Operation) -> bool:
    if isinstance(operation, SeparateDatabaseAndState):
        return all(map(_is_plain_sql, operation.database_operations))
    if not type(operation).__module__.startswith(_DJANGOS) or not operation.reduces_to_sql:
        return False
    return isinstance(operation, RunSQL) or _has_one_default(getattr(operation, "field", None))


def _has_one_default(field: Any) -> bool:
    """Whether a field's default is the same whenever it is asked: `dict` is, `uuid4` is not."""
    return field is None or bool(field.get_default() == field.get_default())
