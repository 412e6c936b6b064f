"""Tasks that run at a time unless they are called off before: what takes something back if its taker dies.

The outbox's sweeper sends what is due (config/tasks.py), so a few seconds after its time.
"""

import json
from datetime import datetime
from uuid import UUID

from django.db import connection

from config.celery import headers_now
from config.ids import new_id
from config.seals import sealed


def promise(task: str, *, at: datetime, **arguments: str | int | bool | None) -> UUID:
    """Run the task named `task` at `at` or later, at least once, if this transaction commits."""
    message_id = new_id()
    told = json.dumps(arguments), json.dumps(headers_now()), at.isoformat()
    _call("promise", str(message_id), task, *told)
    return message_id


def call_off(promised: UUID) -> bool:
    """Run it never, if this transaction commits. False where it is too late: it runs, or did."""
    return _call("call_off", str(promised))


def _call(function: str, *arguments: str) -> bool:
    statement, parameters = sealed(function, *arguments)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)
        return bool(cursor.fetchone()[0])
