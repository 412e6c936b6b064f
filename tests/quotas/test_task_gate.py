"""Tasks pass the gate: what a tenant may not do now is neither run nor lost."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from celery.exceptions import Ignore

from config.celery import app
from config.context import require_tenant
from config.messages import REQUEST_HEADER, TENANT_HEADER
from config.models import OutboxMessage
from config.needs import Feature, Needs
from quotas import entitlements
from quotas.checks import undeclared_tasks
from quotas.task_gate import TaskWithoutNeeds
from tenants import life
from tenants.models import Tenant
from tenants.services import resume, suspend
from tenants.tasks import WAITS_HEADER

pytestmark = pytest.mark.django_db
Granted = Callable[..., None]
RAN: list[UUID] = []


@app.task(name="tests.gated", needs=Needs(feature=Feature.CRM, meter=None))
def gated(*, note: str) -> None:
    RAN.append(require_tenant().id)


@app.task(name="tests.ever_open", needs=Needs(critical=True, meter=None))
def ever_open(*, note: str) -> None:
    RAN.append(require_tenant().id)


@pytest.fixture
def undeclared() -> Any:
    @app.task(name="tests.undeclared")
    def forgotten(*, note: str) -> None:
        RAN.append(require_tenant().id)

    yield forgotten
    app.tasks.pop("tests.undeclared")


@pytest.fixture(autouse=True)
def _nothing_ran() -> None:
    RAN.clear()


def delivered(task: Any, tenant: Tenant, **headers: str) -> bool:
    """Hand the task its message as a worker does; whether it ran."""
    before = len(RAN)
    task.push_request(
        id="message-1", args=[], kwargs={"note": "x"}, retries=0, called_directly=False,
        headers={TENANT_HEADER: str(tenant.pk), REQUEST_HEADER: "request-1", **headers},
        delivery_info={"exchange": "", "routing_key": "plaza"},
    )  # fmt: skip
    try:
        task(note="x")
    except Ignore:
        pass
    finally:
        task.pop_request()
    return len(RAN) > before


def parked() -> list[tuple[str, dict[str, Any], str]]:
    rows = OutboxMessage.objects.order_by("created_at")
    return [(row.task, row.arguments, row.headers[WAITS_HEADER]) for row in rows]


def test_a_task_whose_tenant_may_runs_and_parks_nothing(tenant: Tenant, granted: Granted) -> None:
    granted(tenant.pk)
    assert delivered(gated, tenant)
    assert parked() == []


@pytest.mark.parametrize("refused_by", ["suspension", "closing", "hold", "feature"])
def test_a_refused_task_is_parked_whole_and_runs_once_it_may(
    tenant: Tenant, granted: Granted, now: datetime, refused_by: str
) -> None:
    granted(tenant.pk)
    undo = {
        "suspension": lambda: resume(tenant_id=tenant.pk),
        "closing": lambda: life.restore(tenant_id=tenant.pk, by="test", now=now),
        "hold": lambda: entitlements.hold(tenant_id=tenant.pk, code=None),
        "feature": lambda: granted(tenant.pk),
    }
    {
        "suspension": lambda: suspend(tenant_id=tenant.pk, reason="Unpaid"),
        "closing": lambda: life.close(tenant_id=tenant.pk, reason="Leaving", by="test", now=now),
        "hold": lambda: entitlements.hold(tenant_id=tenant.pk, code="subscription_past_due"),
        "feature": lambda: granted(tenant.pk, features=()),
    }[refused_by]()

    assert not delivered(gated, tenant)
    assert parked() == [("tests.gated", {"note": "x"}, "1")]
    row = OutboxMessage.objects.get()
    assert row.headers[TENANT_HEADER] == str(tenant.pk)
    assert row.headers[REQUEST_HEADER] == "request-1"
    assert timedelta(minutes=4) < row.created_at - now < timedelta(minutes=6)
    undo[refused_by]()
    assert delivered(gated, tenant, **{WAITS_HEADER: "1"})


def test_who_waits_longer_is_asked_rarer_up_to_an_hour(
    tenant: Tenant, granted: Granted, now: datetime
) -> None:
    suspend(tenant_id=tenant.pk, reason="Unpaid")
    for waits in ("1", "40"):
        delivered(gated, tenant, **{WAITS_HEADER: waits})
    waited = [row.created_at - now for row in OutboxMessage.objects.order_by("created_at")]
    minutes = [round(each / timedelta(minutes=1)) for each in waited]
    assert minutes == [10, 60]


def test_a_resumed_tenants_parked_tasks_are_due_at_once_and_nobody_elses(
    tenant: Tenant, granted: Granted, globex: Tenant
) -> None:
    for each in (tenant, globex):
        suspend(tenant_id=each.pk, reason="Unpaid")
        delivered(gated, each)
    resume(tenant_id=tenant.pk)
    mine, other = OutboxMessage.objects.order_by("created_at")
    assert mine.headers[TENANT_HEADER] == str(tenant.pk)
    assert timedelta(minutes=4) < other.created_at - mine.created_at < timedelta(minutes=6)


def test_critical_work_of_a_refused_tenant_runs(tenant: Tenant) -> None:
    suspend(tenant_id=tenant.pk, reason="Unpaid")
    assert delivered(ever_open, tenant)


def test_a_task_that_declares_nothing_is_not_run_and_stops_the_start(
    tenant: Tenant, granted: Granted, undeclared: Any
) -> None:
    granted(tenant.pk)
    with pytest.raises(TaskWithoutNeeds):
        delivered(undeclared, tenant)
    assert RAN == []
    assert undeclared_tasks() == ["tests.undeclared"]


def test_a_task_called_as_a_function_is_its_callers(tenant: Tenant) -> None:
    suspend(tenant_id=tenant.pk, reason="Unpaid")
    gated.push_request(headers={TENANT_HEADER: str(tenant.pk)})
    try:
        gated(note="x")
    finally:
        gated.pop_request()
    assert [tenant.pk] == RAN
