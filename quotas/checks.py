"""System check: no task of a tenant can be forgotten at the gate."""

from typing import Any

from django.core.checks import CheckMessage, Error, register
from django.utils.module_loading import autodiscover_modules

from config.celery import app
from quotas.task_gate import GatedTask


def undeclared_tasks() -> list[str]:
    """Names of tenant tasks that declare no needs, or ask no gate; Celery's own and the square's are none."""
    # Not Celery's own way: a worker's start imports by that, and asks the checks while it does.
    autodiscover_modules("tasks")
    return sorted(
        name
        for name, task in app.tasks.items()
        if not name.startswith("celery.")
        and not getattr(task, "public", False)
        and not (isinstance(task, GatedTask) and task.needs is not None)
    )


@register("plaza")
def tenant_tasks_declare_needs(**_: Any) -> list[CheckMessage]:
    """A tenant's task that declares nothing would be refused by each worker: refuse to start."""
    return [
        Error(
            f"The task {name!r} declares no needs.",
            hint="Write base=GatedTask, needs=Needs(...), or public=True for a task of the square.",
            id="plaza.E004",
        )
        for name in undeclared_tasks()
    ]
