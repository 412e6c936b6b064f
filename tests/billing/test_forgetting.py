"""What providers leave behind goes once it is old and settled; what is not settled stays, however old."""

from datetime import timedelta

import pytest
from django.conf import settings

from billing.models import ProviderCommand, ProviderDifference, ProviderTransaction
from billing.services.forgetting import forget_settled
from billing.tasks import forget_provider_rows
from config.ids import new_id
from tests import factories
from tests.billing.collected import issued

pytestmark = pytest.mark.django_db


def test_only_what_is_old_and_settled_is_forgotten(globex, now):
    old = now - timedelta(days=settings.WEBHOOK_RETENTION_DAYS + 1)
    young = now - timedelta(days=settings.WEBHOOK_RETENTION_DAYS - 1)
    invoice = issued(globex.id, "open", now=now)
    for at, entered in ((old, old), (old, None), (young, young)):
        factories.ProviderTransactionFactory(
            tenant_id=globex.id, occurred_at=at, read_at=at, entered_at=entered
        )
    for ref, gone in (("gone", old), ("open", None), ("just gone", young)):
        ProviderDifference.objects.create(
            provider="stripe", kind="event", ref=ref, found_at=old, seen_at=old, gone_at=gone
        )
    for kind, subject, settled in (
        ("collect", new_id(), old), ("collect", invoice.pk, old), ("collect", new_id(), young),
        ("entrust", new_id(), old),
    ):  # fmt: skip
        ProviderCommand.objects.create(
            tenant_id=globex.id, provider="stripe", kind=kind, subject_id=subject, status="done",
            promised_at=old, settled_at=settled,
        )  # fmt: skip

    assert (forget_settled(now=now), forget_provider_rows()) == (3, 0)

    transactions = ProviderTransaction.objects.values_list("entered_at", flat=True)
    assert set(transactions) == {None, young}
    differences = ProviderDifference.objects.values_list("ref", flat=True)
    assert sorted(differences) == ["just gone", "open"]
    commands = ProviderCommand.objects.filter(status="done")
    assert {(one.kind, one.settled_at) for one in commands} == {
        ("collect", old), ("collect", young), ("entrust", old),
    }  # fmt: skip
    assert commands.get(kind="collect", settled_at=old).subject_id == invoice.pk
