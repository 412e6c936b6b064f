"""An import of a tenant that is suspended meanwhile: it rests at a whole batch, and loses nothing."""

import pytest

from apps.crm import tasks
from apps.crm.models import Import
from apps.crm.services.imports import batches
from config.messages import TENANT_HEADER
from config.models import OutboxMessage
from tenants.isolation import square_context, tenant_context
from tenants.services import resume, suspend
from tests.crm.files import text_file

pytestmark = pytest.mark.django_db
IMPORTS = "/api/v1/imports"


def rows(count: int) -> str:
    return "email\n" + "".join(f"p{number}@x.test\n" for number in range(count))


def test_a_suspension_stops_an_import_at_a_whole_batch_and_it_goes_on_after(acme, api, monkeypatch):
    job_id = api(acme).upload(IMPORTS, {"file": text_file(rows(2_500))})["id"]
    OutboxMessage.objects.all().delete()
    advance = batches.advance

    def suspended_meanwhile(**asked) -> bool:
        goes_on = advance(**asked)
        with square_context():
            suspend(tenant_id=acme.id, reason="Chargebacks under review.")
        return goes_on

    def delivered() -> Import:
        tasks.import_contacts.apply(
            kwargs={"import_id": job_id}, headers={TENANT_HEADER: str(acme.id)}, throw=True
        )
        with tenant_context(acme):
            return Import.objects.get(pk=job_id)

    with monkeypatch.context() as patched:
        patched.setattr(batches, "advance", suspended_meanwhile)
        stopped = delivered()
    assert (stopped.status, stopped.rows_done) == ("running", 1_000)
    again = delivered()
    assert (again.status, again.rows_done) == ("running", 1_000)
    promised = OutboxMessage.objects.values_list("task", "arguments")
    assert list(promised) == [("crm.import_contacts", {"import_id": job_id})] * 2
    tasks.resume_imports_everywhere.run()
    assert OutboxMessage.objects.count() == 2

    resume(tenant_id=acme.id)
    done = delivered()
    assert (done.status, done.rows_done) == ("completed", 2_500)
