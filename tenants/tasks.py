"""Tasks run inside the tenant named by their message, or they are refused; they never run in public by accident."""

from contextlib import ExitStack
from typing import Any
from uuid import UUID

from celery import Task
from celery.exceptions import Reject
from django.db import close_old_connections, connection
from structlog.contextvars import bound_contextvars

from config.celery import REQUEST_HEADER, TENANT_HEADER
from config.context import bound_request_id
from config.logs import logger
from tenants.isolation import square_context, tenant_context
from tenants.models import Tenant

log = logger(__name__)


class TaskWithoutTenant(Reject):
    """The message names no tenant, or one that is gone."""


def _header(task: Task[Any, Any], name: str) -> str:
    request = task.request
    return str((request.headers or {}).get(name) or getattr(request, name, None) or "")


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
            stack.enter_context(bound_request_id(_header(self, REQUEST_HEADER)))
            if self.public:
                stack.enter_context(square_context())
            else:
                stack.enter_context(tenant_context(self._tenant()))
            stack.enter_context(bound_contextvars(task=self.name))
            return super().__call__(*args, **kwargs)

    def _tenant(self) -> Tenant:
        named = _header(self, TENANT_HEADER)
        with square_context():
            tenant = Tenant.objects.filter(pk=UUID(named)).first() if named else None
        if tenant is None or tenant.status in {Tenant.Status.PROVISIONING, Tenant.Status.CLOSED}:
            log.error("task.refused", extra={"task": self.name, "named_tenant": named})
            raise TaskWithoutTenant(f"{self.name} names no live tenant", requeue=False)
        return tenant
