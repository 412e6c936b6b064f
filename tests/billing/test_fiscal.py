"""Fiscal documents: promised with the issue, stamped once, whatever the desk does meanwhile."""

from datetime import timedelta

import pytest

from billing import books
from billing.models import FiscalStamp
from billing.tasks import stamp_documents
from tests.billing.books import issued
from tests.factories import TaxProfileFactory
from tests.standins.fiscal import FiscalStandin

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _desk(settings):
    settings.FISCAL_DESK = "tests.standins.fiscal.FiscalStandin"
    FiscalStandin.begin()


def test_an_invoice_and_its_credit_note_are_stamped_once_although_answers_are_lost(acme, now):
    TaxProfileFactory(tenant_id=acme.pk)
    invoice = issued(acme, now, 10_000, tax=1_600)
    note = books.credit_note(
        invoice_id=invoice.pk, reason="x", key="cn", amounts={1: 5_000}, now=now
    )
    FiscalStandin.begin("down", "lost")
    later = now
    for _ in range(3):
        books.stamp_due(now=later)
        later += timedelta(minutes=1)
    assert books.stamp_due(now=later) == 0

    first, second = FiscalStamp.objects.order_by("id")
    assert (first.document_id, first.status, first.attempts) == (invoice.pk, "stamped", 1)
    assert (second.document_id, second.status, second.attempts) == (note.pk, "stamped", 1)
    told = FiscalStandin.stamped
    assert set(told) == {str(first.pk), str(second.pk)}
    assert told[str(first.pk)]["buyer"]["tax_id"] == "ACM010101AAA"
    assert told[str(first.pk)]["taxes"][0]["amount_minor"] == 1_600
    assert (told[str(second.pk)]["invoice"], told[str(second.pk)]["total_minor"]) == (
        "PLZ-000001",
        5_800,
    )


def test_what_the_desk_refuses_is_left_to_a_person(acme, now):
    issued(acme, now, 100)
    FiscalStandin.begin("refused")

    assert (stamp_documents(), stamp_documents()) == (0, 0)
    row = FiscalStamp.objects.get()
    assert (row.status, row.error) == ("refused", "The buyer's RFC is not known to the authority.")


def test_nobody_is_asked_where_nobody_stamps(acme, now, settings):
    settings.FISCAL_DESK = ""
    issued(acme, now, 100)
    assert (FiscalStamp.objects.count(), stamp_documents()) == (0, 0)


def test_an_issue_that_is_rolled_back_promises_nothing(acme, now):
    from django.db import transaction

    with transaction.atomic():
        issued(acme, now, 100)
        transaction.set_rollback(True)
    assert FiscalStamp.objects.count() == 0
