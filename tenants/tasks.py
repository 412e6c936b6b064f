"""Tasks run inside the tenant named by their message, or they are refused; they never run in public by accident.

Of one tenant no more of them run at once than it has worker slots: the others go back to the queue.
"""

import random
from contextlib import ExitStack
from dataclasses import replace
from datetime import datetime, timedelta
from smtplib import SMTPException
from typing import Any
from uuid import UUID

from celery import Task, shared_task
from celery.exceptions import Ignore, Reject
from django.conf import settings
from django.db import close_old_connections, connection
from django.utils import timezone
from kombu.exceptions import OperationalError
from structlog.contextvars import bound_contextvars

from config.cause import (
    Cause,
    app_of,
    campaign_named,
    cause,
    cause_as_json,
    cause_of,
    caused_by,
)
from config.context import (
    NoTenant,
    bound_request_id,
    current_place,
    current_tenant,
    in_background,
    request_id,
)
from config.logs import logger
from config.messages import CAUSE_HEADER, REQUEST_HEADER, TENANT_HEADER, at_work, header_of
from tenants import archives, domains, hosts
from tenants.identity import attempts, proofs, sign_ins
from tenants.isolation import lookup_context, square_context, tenant_context
from tenants.models import Tenant
from tenants.pool import fill_pool
from tenants.slots import NoSlotFree, slot
from tenants.versions import publish_recent

log = logger(__name__)
WAITS_HEADER = "plaza_waits"
_LONGEST_WAIT_SECONDS = 30
# Longer than Redis is likely to be away.
_HEARD_OF_WITHIN = timedelta(hours=6)


class TaskWithoutTenant(Reject):
    """The message names no tenant, or one that is gone."""


class TenantTask(Task[Any, Any]):
    """The default: opens the tenant of the message's header. Raises TaskWithoutTenant.

    A task of the square says `@shared_task(public=True)` and runs in public, whoever sent it.
    """

    abstract = True
    public = False

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not connection.in_atomic_block:  # called inside a transaction (a test): it must survive
            close_old_connections()
        with ExitStack() as stack:
            stack.enter_context(in_background())
            stack.enter_context(bound_request_id(header_of(self, REQUEST_HEADER)))
            stack.enter_context(caused_by(self._cause(kwargs)))
            if self.public:
                stack.enter_context(square_context())
            else:
                tenant = self._tenant()
                if not self.request.called_directly:
                    self.admit(tenant, now=timezone.now())
                stack.enter_context(tenant_context(tenant))
                self._take_slot(stack, tenant)
            stack.enter_context(bound_contextvars(task=self.name))
            return super().__call__(*args, **kwargs)

    def admit(self, tenant: Tenant, *, now: datetime) -> None:
        """Raise Ignore where `tenant` may not run this now: the upper floor decides (quotas/task_gate.py)."""

    def apply_async(self, args: Any = None, kwargs: Any = None, *more: Any, **options: Any) -> Any:
        """Send a message that names its tenant; so the next of a chain does, and a chord's last.

        Without one given it is the tenant in force, or that of the message in hand. Raises NoTenant.
        """
        here = {
            TENANT_HEADER: _tenant_here(),
            REQUEST_HEADER: request_id() or at_work(REQUEST_HEADER),
            CAUSE_HEADER: cause_as_json() or at_work(CAUSE_HEADER),
        }
        headers = {**here, **(options.pop("headers", None) or {})}
        if not (self.public or headers[TENANT_HEADER]):
            raise NoTenant(f"{self.name} is a tenant's task, and no tenant is in force here.")
        return super().apply_async(args, kwargs, *more, headers=headers, **options)

    def _cause(self, arguments: dict[str, Any]) -> Cause:
        """Who asked for it, in this task's own app."""
        asked = cause_of(header_of(self, CAUSE_HEADER)) if self.request.headers else cause()
        campaign = campaign_named(arguments) or asked.campaign
        return replace(asked, app=app_of(self.name), campaign=campaign)

    def _tenant(self) -> Tenant:
        named, here = header_of(self, TENANT_HEADER) or _tenant_here(), current_tenant()
        if here is not None and named != str(here.id):
            raise TaskWithoutTenant(f"{self.name} was called from another tenant", requeue=False)
        with lookup_context():
            tenant = Tenant.objects.filter(pk=UUID(named)).first() if named else None
        if tenant is None or tenant.status in {Tenant.Status.PROVISIONING, Tenant.Status.CLOSED}:
            log.error("task.refused", extra={"task": self.name, "named_tenant": named})
            raise TaskWithoutTenant(f"{self.name} names no live tenant", requeue=False)
        return tenant

    def _take_slot(self, stack: ExitStack, tenant: Tenant) -> None:
        """Hold a slot until `stack` closes. Called as a function, a task runs in its caller's."""
        request = self.request
        if request.called_directly:
            return
        if tenant.migration_state == Tenant.MigrationState.MIGRATING:
            self.put_back()  # its schema is in the middle of a migration
            raise Ignore
        held = slot(tenant_id=tenant.pk, slots=tenant.worker_slots, holder=str(request.id))
        try:
            stack.enter_context(held)
        except NoSlotFree as refused:
            self.put_back()
            raise Ignore from refused

    def put_back(self) -> None:
        """Send the message again for a little later, rarer each time. It is no retry, and counts as none."""
        request = self.request
        waits = int(header_of(self, WAITS_HEADER) or 0) + 1
        longest = min(2**waits, _LONGEST_WAIT_SECONDS)
        again = self.signature_from_request(
            request,
            retries=request.retries,
            headers={**(request.headers or {}), WAITS_HEADER: str(waits)},
            # Of many that wait, not all come back at once.
            countdown=random.uniform(longest / 2, longest),  # noqa: S311 - no secret
        )
        try:
            again.apply_async()
        except OperationalError as error:
            raise Reject(str(error), requeue=True) from error
        log.info("task.put_back", extra={"task": self.name, "waits": waits})


def _tenant_here() -> str:
    """The id of the tenant in force, of the message in hand once its tenant was left, or nothing."""
    tenant = current_tenant()
    if tenant is not None:
        return str(tenant.id)
    # On the square the message's tenant is not taken for granted: who sends there says for whom.
    return at_work(TENANT_HEADER) if current_place() is None else ""


@shared_task(name="tenants.publish_versions", base=TenantTask, public=True)
def publish_versions() -> int:
    """Tell Redis of changes that it did not hear of while it was away."""
    return publish_recent(now=timezone.now(), within=_HEARD_OF_WITHIN)


@shared_task(name="tenants.tidy_hosts", base=TenantTask, public=True)
def tidy_hosts() -> int:
    """Forget domains that nobody proved, and names given up long ago."""
    now = timezone.now()
    return domains.expire_claims(now=now) + hosts.forget_former_names(now=now)


@shared_task(name="tenants.forget_attempts", base=TenantTask, public=True)
def forget_attempts() -> int:
    """Let go of counts of sign-ins and the like whose window has ended, of mailed links and sign-ins that ran out."""
    now = timezone.now()
    gone = attempts.forget(now=now) + proofs.forget_old(now=now)
    return gone + sign_ins.forget_old(now=now)


@shared_task(name="tenants.fill_pool", base=TenantTask, public=True)
def fill_pool_of_schemas() -> int:
    """Make ready what sign-ups have claimed. The provisioner's: it takes the owner's rights."""
    return fill_pool(wanted=settings.PLAZA_READY_SCHEMAS)


@shared_task(name="tenants.export_archive", base=TenantTask, public=True)
def export_archive(*, archive_id: str, plan: str = "") -> None:
    """Make a promised archive. Who runs it has the owner's rights.

    `plan` is what older releases said here; it stands on the archive's row now.
    """
    archives.run_export(archive_id=UUID(archive_id), now=timezone.now())


@shared_task(name="tenants.tend_exports", base=TenantTask, public=True)
def tend_exports() -> int:
    """Go on with exports whose worker was lost, and delete those whose time is over."""
    now = timezone.now()
    return archives.resume_exports(now=now) + archives.forget_exports(now=now)


@shared_task(
    name="tenants.tell_export_ready",
    base=TenantTask,
    public=True,
    autoretry_for=(SMTPException, OSError),
    retry_backoff=True,
    max_retries=8,
)
def tell_export_ready(*, archive_id: str) -> None:
    """Write to who asked for an export. The mail server may be away for a while."""
    archives.tell_ready(archive_id=UUID(archive_id), now=timezone.now())
