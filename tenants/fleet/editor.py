"""A schema editor that runs its statements and keeps them, as text that can be replayed in an equal schema."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


class Recording:
    """Mixed over the engine's schema editor. `recorded`: statements in the order in which they ran."""

    connection: Any
    recorded: list[str]

    def execute(self, sql: Any, params: Any = ()) -> None:
        statement = str(sql)
        if params is not None:
            statement = self.connection.ops.compose_sql(statement, params)
        super().execute(statement, None)  # type: ignore[misc]  # of the editor that it is mixed over
        self.recorded.append(statement)


@contextmanager
def recording_editor(connection: Any, *, atomic: bool) -> Iterator[Any]:
    """`connection.schema_editor()` with `recorded`, which is complete once the context is left."""
    kind = type("RecordingEditor", (Recording, connection.SchemaEditorClass), {"recorded": []})
    with kind(connection, atomic=atomic) as editor:
        yield editor
