"""What waits at the providers and where they differ: seen, tried again, repaired, each with a reason."""

import pytest

from billing.models import ProviderCommand
from config.models import OutboxMessage
from tests import factories
from tests.console.doors import page_of

pytestmark = pytest.mark.django_db


def test_a_command_that_was_given_up_is_found_and_tried_again(operator, acme, now):
    failed = factories.ProviderCommandFactory(
        tenant_id=acme.pk, status="failed", attempts=16, error="payment_provider_unavailable",
        next_attempt_at=None, settled_at=now,
    )  # fmt: skip
    factories.ProviderCommandFactory(kind="refund", error="of another")

    operator.get("/console/billing/providercommand/?status__exact=failed")
    assert "payment_provider_unavailable" in operator.text
    assert "of another" not in operator.text
    reason = {"reason": "The provider is back."}
    operator.post(f"{page_of(failed)}/run-again/", reason, status=302)

    failed.refresh_from_db()
    assert (failed.status, failed.attempts) == (ProviderCommand.Status.WAITING, 0)
    promised = OutboxMessage.objects.get(task="billing.run_provider_command")
    assert promised.arguments == {"command_id": str(failed.pk)}


def test_a_difference_is_shown_with_both_sides_and_repaired(operator, acme, now, settings):
    settings.STRIPE_API_KEY = "sk_test_of_the_tests"
    settled = factories.ProviderTransactionFactory(tenant_id=acme.pk, entered_at=now)
    found = factories.ProviderDifferenceFactory(
        kind="entry", ref=settled.ref, tenant_id=acme.pk, here="not in the books", there="9900"
    )

    operator.get("/console/billing/providerdifference/")
    assert f"{settled.ref} {acme.pk} not in the books 9900" in operator.text
    reason = {"reason": "It was entered since."}
    operator.post(f"{page_of(found)}/repair/", reason, status=302)

    found.refresh_from_db()
    assert found.gone_at is not None
