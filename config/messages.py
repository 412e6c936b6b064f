"""What a task's message says: for which tenant it works, which request asked for it, and who did."""

from typing import Any

# Celery's own app asks the same, but naming `current_app` too early would make a second app.
from celery._state import get_current_worker_task

TENANT_HEADER = "plaza_tenant"
REQUEST_HEADER = "plaza_request"
CAUSE_HEADER = "plaza_cause"


def header_of(task: Any, name: str) -> str:
    """A header of the message that `task` is doing, or an empty string."""
    request = task.request
    return str((request.headers or {}).get(name) or getattr(request, name, None) or "")


def at_work(name: str) -> str:
    """A header of the message that this thread's worker has in hand, or an empty string.

    True until Celery lets go of the task: also when its tenant has been left already, where Celery
    logs its failure, calls back, and sends the next of a chain.
    """
    task = get_current_worker_task()
    return header_of(task, name) if task else ""
