"""The real file: 69,659 purchases of 23,570 customers, as it was published."""

import time
from datetime import date

import pytest
from django.db.models import Sum

from apps.crm.models import Contact, ImportRow, Order
from tenants.isolation import tenant_context
from tests.crm.conftest import CDNOW, CUSTOMERS, PURCHASES

IMPORTS = "/api/v1/imports"
# Sums over the file's own lines.
QUANTITY, CENTS = 167_881, 250_031_563
# Pairs of equal lines: the same customer bought the same for the same on the same day.
EQUAL_LINES = 255


def upload(client, **fields):
    with CDNOW.open("rb") as file:
        return client.upload(IMPORTS, {"file": file, **fields}, status=fields.pop("status", 202))


def facts() -> dict[str, int]:
    sums = Order.objects.aggregate(quantity=Sum("quantity"), cents=Sum("amount_minor"))
    return {"contacts": Contact.objects.count(), "orders": Order.objects.count(), **sums}


WHOLE = {"contacts": CUSTOMERS, "orders": PURCHASES, "quantity": QUANTITY, "cents": CENTS}


@pytest.mark.django_db
def test_the_whole_file_comes_in_as_it_is_and_a_second_time_adds_nothing(acme, api, work):
    client = api(acme)
    began = time.monotonic()
    started = upload(client)
    checked = time.monotonic() - began
    assert (started["status"], started["rows_total"], started["rows_failed"]) == (
        "queued",
        PURCHASES,
        0,
    )
    assert started["mapping"] == {
        "customer_id": "external_id",
        "date": "ordered_on",
        "number_of_cds": "quantity",
        "dollar_value": "amount",
    }

    job = work(acme, started["id"])
    took = time.monotonic() - began

    assert (job.status, job.rows_done, job.rows_failed, job.rows_left_out) == (
        "completed",
        PURCHASES,
        0,
        0,
    )
    assert (job.contacts_created, job.contacts_updated, job.orders_created) == (
        CUSTOMERS,
        0,
        PURCHASES,
    )
    with tenant_context(acme):
        assert facts() == WHOLE
        first = Contact.objects.get(external_id="00001")
        assert first.email == "cdnow-00001@example.test"
        order = first.orders.get()
        assert (order.ordered_on, order.quantity, order.amount_minor, order.currency) == (
            date(1997, 1, 1), 1, 1_177, "USD",
        )  # fmt: skip
        assert Order.objects.filter(occurrence__gt=1).count() == EQUAL_LINES
        assert ImportRow.objects.count() == 0
    print(f"checked in {checked:.1f} s, imported in {took:.1f} s")
    assert took < 20

    again = work(acme, upload(client)["id"])
    assert (again.status, again.rows_done, again.contacts_created, again.orders_created) == (
        "completed", PURCHASES, 0, 0,
    )  # fmt: skip
    with tenant_context(acme):
        assert facts() == WHOLE
