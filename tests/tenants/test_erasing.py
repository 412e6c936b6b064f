"""Erase: nothing is left in any store, neighbours notice nothing, and a kill anywhere changes nothing."""

import threading
import time
from contextlib import closing
from datetime import UTC, datetime
from uuid import UUID

import pytest
from django.db import connections

from tenants import life
from tenants.engine.owner import owner_connection
from tenants.life import erasing
from tenants.life.certificates import seal
from tenants.life.refusals import (
    ClosingWindowOpen,
    ErasureRunning,
    TenantNotClosing,
    TenantNotOpen,
)
from tenants.models import Domain, Erasure, Person, Tenant
from tenants.provisioning import provision
from tenants.roles import create_role_sql
from tenants.services import host_of, reserve
from tests.tenants.endings import (
    LEFT_OF_ERASED,
    Killed,
    checksum,
    dying,
    furnished,
    own_files,  # noqa: F401
    past_window,
    quiet,
    traces,
)

# Of these it has none; what outlives it shows tests/billing/test_books_kept.py.
BOOKS = (
    *("billing_account", "billing_creditmovement", "billing_creditnote", "billing_invoice"),
    *("billing_invoiceline", "billing_invoicetax", "billing_journalentry", "billing_payment"),
    *("billing_fiscalstamp", "billing_posting", "billing_refund"),
)
pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("own_files")]


def closed(slug: str, **furniture) -> Tenant:
    tenant = furnished(slug, **furniture)
    return life.close(tenant_id=tenant.id, reason="Over.", by="test", now=datetime.now(UTC))


def test_nothing_is_left_but_the_certificate_and_the_name_is_free_again():
    sol, luna = closed("sol"), furnished("luna")
    before = checksum(luna)

    certificate = life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    erased = certificate["erased"]
    assert traces(sol.id) == LEFT_OF_ERASED
    assert checksum(luna) == before
    assert certificate["sha256"] == seal(certificate)
    assert (erased["tables"]["crm_contact"], erased["tables"]["crm_company"]) == (3, 1)
    assert erased["files"] == {"files": 2, "bytes": 264}
    assert erased["keys"] == {"keys": 3}  # its version is one
    assert erased["people"] == {"tenants_person": 2}
    public = erased["public"]
    assert (public["tenants_member"], public["tenants_apikey"], public["tenants_refreshtoken"]) == (
        2, 2, 2,
    )  # fmt: skip
    assert (public["django_session"], public["config_outboxmessage"]) == (2, 1)
    assert certificate["kept"] == {"tenants_erasure": 1, **dict.fromkeys(BOOKS, 0)}
    assert not Domain.objects.filter(domain=host_of("sol")).exists()
    assert reserve(slug="sol", organisation="Sol again").slug == "sol"


def test_people_of_another_tenant_and_operators_stay():
    operator = Person.objects.create_superuser("boss@plaza.test", "market-square-2026")
    luna = furnished("luna", people=("both@plaza.test",))
    sol = closed("sol", people=("both@plaza.test", "alone@sol.test"))
    password = Person.objects.get(email="both@plaza.test").password

    life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    left = Person.objects.order_by("email").values_list("email", "password")
    assert list(left) == [
        ("boss@plaza.test", operator.password),
        ("both@plaza.test", password),
    ]
    assert luna.members.count() == 1


def test_an_erasure_that_is_cut_off_anywhere_ends_with_the_same_certificate():
    whole = closed("whole")
    told: list[str] = []
    expected = life.erase(tenant_id=whole.id, now=past_window(whole), tell=told.append)
    sol = closed("sol")

    for moment in range(len(told)):
        try:
            certificate = life.erase(tenant_id=sol.id, now=past_window(sol), tell=dying(moment))
        except Killed:
            certificate = None
    certificate = certificate or life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    assert certificate["erased"] == expected["erased"]
    assert traces(sol.id) == LEFT_OF_ERASED
    again = life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)
    assert again == certificate


def test_fewer_than_a_hundred_locks_are_held_at_any_moment(caplog):
    sol = closed("sol")
    life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    locks = [record.most_locks for record in caplog.records if record.msg == "tenant.erased"]
    assert len(locks) == 1
    assert 20 < locks[0] < 100


def test_a_table_that_is_in_use_is_waited_for_without_a_queue_behind_it():
    sol = closed("sol")
    with closing(owner_connection()) as reader, closing(owner_connection()) as second:
        reader.execute("BEGIN")
        reader.execute(f"SELECT count(*) FROM {sol.schema_name}.crm_contact")
        waited: list[float] = []

        def erase() -> None:
            try:
                life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)
            finally:
                connections.close_all()

        erasing = threading.Thread(target=erase)
        erasing.start()
        for _ in range(10):
            began = time.monotonic()
            second.execute(f"SELECT count(*) FROM {sol.schema_name}.crm_contact")
            waited.append(time.monotonic() - began)
            time.sleep(0.2)
        reader.execute("COMMIT")
        erasing.join()

    assert max(waited) < 0.9
    assert traces(sol.id) == LEFT_OF_ERASED


def test_an_open_tenant_and_an_open_window_are_refused():
    sol = furnished("sol")
    with pytest.raises(TenantNotClosing):
        life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)
    life.close(tenant_id=sol.id, reason="Over.", by="test", now=datetime.now(UTC))
    with pytest.raises(ClosingWindowOpen):
        life.erase(tenant_id=sol.id, now=datetime.now(UTC), tell=quiet)

    assert life.due(now=datetime.now(UTC)) == []
    assert life.due(now=past_window(sol)) == [sol.id]
    assert Tenant.objects.get(pk=sol.pk).status == "closing"


def test_two_do_not_erase_one_tenant_at_once(monkeypatch):
    monkeypatch.setattr(erasing, "_LET_GO_SECONDS", 0.0)
    sol = closed("sol")

    def tell(_: str) -> None:
        with pytest.raises(ErasureRunning):
            life.erase(tenant_id=sol.id, now=past_window(sol), tell=quiet)

    life.erase(tenant_id=sol.id, now=past_window(sol), tell=tell)
    assert traces(sol.id) == LEFT_OF_ERASED


def test_nobody_makes_the_schema_of_a_tenant_that_is_being_erased():
    sol = closed("sol")

    def tell(_: str) -> None:
        with pytest.raises(TenantNotOpen):
            provision(tenant_id=sol.id)

    life.erase(tenant_id=sol.id, now=past_window(sol), tell=tell)
    assert traces(sol.id) == LEFT_OF_ERASED


def test_a_schema_that_came_late_goes_as_well():
    sol = closed("sol")

    def tell(text: str) -> None:
        if text == "erasing: keys":
            with closing(owner_connection()) as owner:
                owner.execute(f"CREATE SCHEMA {sol.schema_name}")
                owner.execute(f"CREATE TABLE {sol.schema_name}.crm_late AS SELECT 1")
                owner.execute(create_role_sql(sol.schema_name).encode())

    certificate = life.erase(tenant_id=sol.id, now=past_window(sol), tell=tell)

    assert certificate["erased"]["tables"]["crm_late"] == 1
    assert traces(sol.id) == LEFT_OF_ERASED


def test_certificates_are_kept_for_the_years_of_invoices():
    now = datetime(2026, 11, 21, tzinfo=UTC)
    for year in (2015, 2017):
        Erasure.objects.create(
            tenant_id=UUID(int=year), slug="x", finished_at=datetime(year, 1, 1, tzinfo=UTC)
        )
    assert life.forget_certificates(now=now) == 1
    assert Erasure.objects.get().tenant_id == UUID(int=2017)
