"""Celery's app, `later()`, and what runs by the clock.

`later()` writes an outbox row inside the transaction, sends after the commit and deletes the row;
`config.resend_outbox` sends again what the broker did not get. So a promised task is never lost and
runs at least once: tasks must be harmless twice.
"""

import json
import logging
import os
from collections.abc import Callable
from datetime import timedelta
from typing import Any, ParamSpec, TypeVar, cast
from uuid import UUID

from celery import Celery, Task
from celery.signals import celeryd_init, worker_ready
from kombu.exceptions import OperationalError

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "config.settings")

from django.conf import settings
from django.db import connection, transaction

from config.cause import cause_as_json
from config.context import begin_serving, current_tenant, request_id
from config.ids import new_id
from config.messages import CAUSE_HEADER, REQUEST_HEADER, TENANT_HEADER
from config.seals import sealed

Parameters = ParamSpec("Parameters")
Answer = TypeVar("Answer")
RESEND_AFTER = timedelta(seconds=10)
_HARD_LIMIT_SECONDS = 3600

app = Celery("plaza", task_cls="quotas.task_gate:GatedTask")
app.conf.update(
    broker_url=settings.CELERY_BROKER_URL,
    broker_connection_retry_on_startup=True,
    broker_transport_options={
        # Above the hard time limit: a running task must not be taken for a lost one.
        "visibility_timeout": _HARD_LIMIT_SECONDS + 300,
        # kombu looks for lost messages every interval x throttle seconds; its default is 100 s.
        "unacked_restore_interval": 5,
        "unacked_restore_throttle": 1,
        "socket_connect_timeout": 2,
        # A sender asks twice and leaves the rest to the outbox: a request must not wait 6 s.
        "max_retries": 1,
        "interval_start": 0,
        "interval_step": 0.05,
        "interval_max": 0.05,
        "global_keyprefix": "plaza:",
    },
    task_acks_late=True,
    task_reject_on_worker_lost=True,
    worker_prefetch_multiplier=1,
    task_time_limit=_HARD_LIMIT_SECONDS,
    task_soft_time_limit=_HARD_LIMIT_SECONDS - 60,
    task_ignore_result=True,
    task_default_queue="plaza",
    task_routes={
        # Long work on what tenants bring along; a cluster gives it workers of its own.
        "crm.import_contacts": {"queue": "validation"},
    }
    # Whose worker alone has the owner's rights: these make and drop schemas, and read whole ones.
    | {
        name: {"queue": "provisioner"}
        for name in (
            *("tenants.fill_pool", "tenants.export_archive"),
            *("billing.finish_sign_up", "billing.erase_closed", "billing.prune_trails"),
            *("quotas.keep_months", "billing.keep_months"),
        )
    },
    task_publish_retry=False,
    worker_hijack_root_logger=False,
    worker_redirect_stdouts=False,
    timezone="UTC",
    beat_schedule={
        "resend-outbox": {"task": "config.resend_outbox", "schedule": 5.0},
        "forget-kept-answers": {"task": "config.forget_kept_answers", "schedule": 3600.0},
        "clear-sessions": {"task": "config.clear_sessions", "schedule": 86_400.0},
        "tend-vault": {"task": "tenants.tend_vault", "schedule": 3600.0},
        "seal-trails": {"task": "tenants.seal_trails", "schedule": 4.0},
        "finish-sign-ups": {"task": "billing.finish_sign_ups", "schedule": 30.0},
        "retry-webhooks": {"task": "billing.retry_webhooks", "schedule": 15.0},
        "retry-provider-commands": {
            "task": "billing.retry_provider_commands",
            "schedule": 15.0,
        },
        "reconcile": {"task": "billing.reconcile", "schedule": 86_400.0},
        "forget-provider-rows": {
            "task": "billing.forget_provider_rows",
            "schedule": 86_400.0,
        },
        "keep-inbox-months": {"task": "billing.keep_months", "schedule": 21_600.0},
        "close-periods": {"task": "billing.close_periods", "schedule": 60.0},
        "bill-late-use": {"task": "billing.bill_late_use", "schedule": 86_400.0},
        "dun": {"task": "billing.dun", "schedule": 300.0},
        "expire-trials": {"task": "billing.expire_trials", "schedule": 300.0},
        "resume-imports": {
            "task": "crm.resume_imports_everywhere",
            "schedule": settings.PLAZA_IMPORT_SILENT_SECONDS / 2,
        },
        "refresh-segments": {
            "task": "crm.refresh_segments_everywhere",
            "schedule": 60.0,
        },
        "enforce-retention": {"task": "crm.enforce_retention", "schedule": 86_400.0},
        "remind-of-privacy-requests": {
            "task": "crm.remind_of_privacy_requests",
            "schedule": 21_600.0,
        },
        "start-due-campaigns": {"task": "campaigns.start_due", "schedule": 15.0},
        "measure-storage": {"task": "quotas.measure_storage", "schedule": 900.0},
        "keep-months": {"task": "quotas.keep_months", "schedule": 21_600.0},
        "fill-pool": {"task": "tenants.fill_pool", "schedule": 30.0},
        "tend-exports": {"task": "tenants.tend_exports", "schedule": 30.0},
        "retry-deliveries": {"task": "tenants.retry_deliveries", "schedule": 15.0},
        "resend-mails": {"task": "tenants.resend_mails", "schedule": 60.0},
        "forget-messages": {"task": "tenants.forget_messages", "schedule": 86_400.0},
        "watch-usage": {"task": "quotas.watch_usage", "schedule": 60.0},
        "review-usage": {"task": "quotas.review_usage", "schedule": 3600.0},
        "review-forecasts": {"task": "quotas.review_forecasts", "schedule": 86_400.0},
        "tidy-hosts": {"task": "tenants.tidy_hosts", "schedule": 3600.0},
        "forget-attempts": {"task": "tenants.forget_attempts", "schedule": 600.0},
        "stamp-documents": {"task": "billing.stamp_documents", "schedule": 60.0},
        "check-books": {"task": "billing.check_books", "schedule": 86_400.0},
        "erase-closed": {"task": "billing.erase_closed", "schedule": 3600.0},
        "prune-trails": {"task": "billing.prune_trails", "schedule": 21_600.0},
        "tidy-quotas": {"task": "quotas.tidy", "schedule": 3600.0},
        "publish-versions": {"task": "tenants.publish_versions", "schedule": 10.0},
    },
)
app.autodiscover_tasks(
    [
        *("config", "tenants", "tenants.mails", "tenants.outbound", "tenants.trail"),
        "tenants.vault",
        *("quotas", "quotas.alerts", "quotas.caps"),
        *("billing", "apps.crm", "apps.campaigns", "apps.content"),
    ]
)


@celeryd_init.connect
def _begin_serving(**_: Any) -> None:
    begin_serving()


@celeryd_init.connect
def _speak_json(**_: Any) -> None:
    """Log the worker's warnings and its farewell as JSON too: each line of its log is an event."""
    from celery.apps import worker as worker_program

    logging.captureWarnings(True)
    worker_program.safe_say = _say  # type: ignore[attr-defined]  # its stubs know it not


@worker_ready.connect
def _serve_metrics(**_: Any) -> None:
    """After its processes have begun, so that none of them inherits the socket."""
    from config.metrics_server import serve_metrics

    serve_metrics()


def _say(message: str, stream: object = None) -> None:
    # Called in a signal handler: one write, no lock of `logging`.
    os.write(
        2, (json.dumps({"event": message, "logger": "celery", "level": "info"}) + "\n").encode()
    )


def public_task(name: str) -> Callable[[Callable[Parameters, Answer]], Task[Parameters, Answer]]:
    """Declare a task of the square: it runs in public, whoever sent it (tenants/tasks.py)."""
    return cast(
        "Callable[[Callable[Parameters, Answer]], Task[Parameters, Answer]]",
        app.task(name=name, public=True),
    )


def later(task: str, *, lossy: bool = False, **arguments: str | int | bool | None) -> None:
    """Run the task named `task` after this transaction commits, in this tenant, at least once.

    Arguments are primitives by keyword (ids as `str`). `lossy=True` skips the outbox row: the task is
    lost if the broker is away at the commit.
    """
    headers = headers_now()
    message_id = new_id()
    if not lossy:
        _keep(message_id, task, arguments, headers)
    transaction.on_commit(lambda: _send_kept(message_id, task, arguments, headers, kept=not lossy))


def headers_now() -> dict[str, str]:
    """Whose the work of this moment is, and who asked for it."""
    tenant = current_tenant()
    return {
        REQUEST_HEADER: request_id(),
        TENANT_HEADER: str(tenant.id) if tenant else "",
        CAUSE_HEADER: cause_as_json() or "",
    }


def _keep(message_id: UUID, task: str, arguments: dict[str, Any], headers: dict[str, str]) -> None:
    _call("enqueue", str(message_id), task, json.dumps(arguments), json.dumps(headers))


def _send_kept(
    message_id: UUID, task: str, arguments: dict[str, Any], headers: dict[str, str], *, kept: bool
) -> None:
    if send(message_id, task, arguments, headers) and kept:
        _call("dequeue", str(message_id))


def _call(function: str, *arguments: str) -> None:
    """The outbox is the square's: a tenant reaches it by sealed functions alone (config/rights.py)."""
    statement, parameters = sealed(function, *arguments)
    with connection.cursor() as cursor:
        cursor.execute(statement, parameters)


def send(message_id: UUID, task: str, arguments: dict[str, Any], headers: dict[str, str]) -> bool:
    """Hand one message to the broker; False when it is away (the sweeper tries again)."""
    from config.logs import logger

    try:
        app.send_task(task, kwargs=arguments, headers=headers, task_id=str(message_id))
    except (OperationalError, ConnectionError, TimeoutError) as error:
        logger(__name__).warning(
            "outbox.send_failed", extra={"task": task, "reason": type(error).__name__}
        )
        return False
    return True
