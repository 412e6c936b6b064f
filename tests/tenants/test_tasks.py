"""A task runs in the tenant of its message, or not at all."""

import uuid

import pytest
from celery import current_app

from config.celery import app
from config.context import current_tenant
from config.messages import TENANT_HEADER
from config.needs import Needs
from tenants.models import Tenant
from tenants.tasks import TaskWithoutTenant

pytestmark = pytest.mark.django_db
PLAIN = Needs(meter=None)


@app.task(name="tests.whose", needs=PLAIN)
def whose() -> str:
    tenant = current_tenant()
    return tenant.slug if tenant else "public"


@app.task(name="tests.whose_public", public=True)
def whose_public() -> str:
    tenant = current_tenant()
    return tenant.slug if tenant else "public"


def delivered(task, headers):
    """Run a task as a worker does: with the headers of its message on its request."""
    task.push_request(headers=headers)
    try:
        return task()
    finally:
        task.pop_request()


def test_a_task_runs_in_the_tenant_of_its_header(acme, globex):
    answers = [delivered(whose, {TENANT_HEADER: str(t.id)}) for t in (acme, globex, acme)]

    assert answers == ["acme", "globex", "acme"]
    assert current_tenant() is None
    assert current_app.main == "plaza"


@pytest.mark.parametrize("named", ["", str(uuid.UUID(int=1))])
def test_a_task_for_no_tenant_or_an_unknown_one_is_refused(db, named):
    with pytest.raises(TaskWithoutTenant):
        delivered(whose, {TENANT_HEADER: named})


@pytest.mark.parametrize("status", [Tenant.Status.CLOSED, Tenant.Status.PROVISIONING])
def test_a_task_for_a_tenant_that_is_gone_or_not_ready_is_refused(acme, status):
    Tenant.objects.filter(pk=acme.pk).update(status=status)

    with pytest.raises(TaskWithoutTenant):
        delivered(whose, {TENANT_HEADER: str(acme.id)})


def test_a_task_of_the_square_runs_in_public_whoever_sent_it(acme):
    assert delivered(whose_public, {TENANT_HEADER: str(acme.id)}) == "public"
