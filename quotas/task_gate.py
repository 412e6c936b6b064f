"""Celery's tasks pass the gate too: a tenant's task runs when its state and its plan allow it, or it waits.

`GatedTask` is the app's default (config/celery.py names it by string, since tenants lie below). A task
declares `needs` as a view does. What is refused is neither run nor lost: its message is parked in the
outbox, whose sweeper sends it again later; it goes with the tenant's other rows when that is erased.
"""

from datetime import datetime, timedelta
from uuid import UUID

from celery.exceptions import Ignore, Reject

from config.context import require_tenant
from config.logs import logger
from config.messages import REQUEST_HEADER, TENANT_HEADER, header_of
from config.needs import Needs
from quotas.decision import Decision
from quotas.gate import decide_work
from quotas.metrics import count_decision
from tenants.isolation import lookup_context
from tenants.models import Tenant
from tenants.parking import park
from tenants.tasks import WAITS_HEADER, TenantTask

log = logger(__name__)
_FIRST_WAIT, _LONGEST_WAIT = timedelta(minutes=5), timedelta(hours=1)
_MOST_DOUBLINGS = 4


class TaskWithoutNeeds(Reject):
    """The task declares nothing, and so is not run: closed by default, as views are."""


class GatedTask(TenantTask):
    """A tenant's task. `needs` says what it needs; its rates, roles and meters do not apply."""

    abstract = True
    needs: Needs | None = None

    def admit(self, tenant: Tenant, *, now: datetime) -> None:
        """Raise Ignore where the gate refuses, with the message parked; TaskWithoutNeeds."""
        if self.needs is None:
            log.error("gate.undeclared_task", extra={"task": self.name})
            raise TaskWithoutNeeds(f"{self.name} declares no needs", requeue=False)
        decision = _decided(tenant.pk, self.needs, now=now)
        if not decision.allowed:
            self._postpone(tenant, decision, now=now)
            raise Ignore

    def _postpone(self, tenant: Tenant, decision: Decision, *, now: datetime) -> None:
        request = self.request
        count_decision(decision)
        log.info("task.postponed", extra={"task": self.name, **decision.told()})
        if request.args or request.chain or request.callbacks or request.chord or request.group:
            self.put_back()  # the outbox keeps a name and its arguments, not what comes after
            return
        waits = int(header_of(self, WAITS_HEADER) or 0)
        headers = {
            TENANT_HEADER: str(tenant.pk),
            REQUEST_HEADER: header_of(self, REQUEST_HEADER),
            WAITS_HEADER: str(waits + 1),
        }
        wait = min(_FIRST_WAIT * 2 ** min(waits, _MOST_DOUBLINGS), _LONGEST_WAIT)
        park(
            task=self.name,
            arguments=request.kwargs or {},
            headers=headers,
            until=now + wait,
        )


def may_go_on(needs: Needs, *, now: datetime) -> bool:
    """Whether the tenant in force may still do such work: asked between whole pieces of long work."""
    return is_admitted(require_tenant().id, needs, now=now)


def is_admitted(tenant_id: UUID, needs: Needs, *, now: datetime) -> bool:
    """The same of any tenant: for what the clock does to each in turn."""
    decision = _decided(tenant_id, needs, now=now)
    if not decision.allowed:
        count_decision(decision)
    return decision.allowed


def _decided(tenant_id: UUID, needs: Needs, *, now: datetime) -> Decision:
    """By what PostgreSQL says at this moment: what this process remembers may be older."""
    with lookup_context():
        return decide_work(Tenant.objects.get(pk=tenant_id), needs, now=now)
