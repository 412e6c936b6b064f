"""Every list asks the database a fixed number of times, for one row and for three."""

from typing import Any

import pytest
from django.conf import settings
from pytest_django import DjangoAssertNumQueries

from config.checks import routes
from config.pages import CursorPage
from tenants.isolation import tenant_context
from tests.test_isolation import FOREIGN, SHARED, noun_of, spelled

pytestmark = pytest.mark.django_db


def list_nouns() -> set[str]:
    """The nouns of every API view that answers pages."""
    found = set()
    for path, pattern in routes(settings.ROOT_URLCONF):
        address, names = spelled(path)
        view = getattr(pattern.callback, "cls", None)
        actions = getattr(pattern.callback, "actions", None) or {"get": "list"}
        paged = issubclass(getattr(view, "pagination_class", None) or object, CursorPage)
        if paged and not names and actions.get("get") == "list":
            found.add(noun_of(address))
    return found


def rows_of(noun: str, count: int, acme) -> None:
    from tests import factories

    shared: dict[str, Any] = {
        "members": factories.MemberFactory,
        "api-keys": factories.ApiKeyFactory,
        "domains": factories.DomainClaimFactory,
        "sso-domains": factories.SsoDomainFactory,
        "exports": factories.ArchiveFactory,
        "invitations": factories.InvitationFactory,
        "roles": factories.CustomRoleFactory,
        "webhook-deliveries": lambda tenant: factories.WebhookDeliveryFactory(
            endpoint__tenant=tenant
        ),
        "webhook-endpoints": factories.WebhookEndpointFactory,
    }
    of_tenant: dict[str, Any] = {
        "credits": factories.CreditMovementFactory,
        "invoices": factories.InvoiceFactory,
        "usage-events": factories.UsageEventFactory,
    }
    if noun in of_tenant:
        for _ in range(count):
            of_tenant[noun](tenant_id=acme.pk)
        return
    if noun in shared:
        for _ in range(count):
            shared[noun](tenant=acme)
        return
    with tenant_context(acme):
        for _ in range(count):
            MAKERS[noun]()


def _makers():
    from tests import factories

    return {
        "contacts": factories.ContactFactory,
        "companies": factories.CompanyFactory,
        "orders": factories.OrderFactory,
        "tags": factories.TagFactory,
        "deals": factories.DealFactory,
        "pipelines": factories.PipelineFactory,
        "notes": factories.NoteFactory,
        "tasks": factories.TaskFactory,
        "segments": factories.SegmentFactory,
        "imports": factories.ImportFactory,
        "privacy-requests": factories.PrivacyRequestFactory,
        "campaigns": factories.CampaignFactory,
        "briefs": factories.BriefFactory,
        "templates": factories.TemplateFactory,
        "pieces": factories.PieceFactory,
        "audit-events": factories.TrailEventFactory,
    }


MAKERS = _makers()


def test_every_list_is_counted():
    assert list_nouns() <= set(FOREIGN) | SHARED
    assert set(FOREIGN) <= list_nouns()


@pytest.mark.parametrize("noun", sorted({*FOREIGN, *SHARED}))
def test_a_list_asks_a_fixed_number_of_times(
    noun, acme, api, django_assert_num_queries: DjangoAssertNumQueries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    client = api(acme)
    rows_of(noun, 1, acme)
    client.get(f"/api/v1/{noun}")
    with CaptureQueriesContext(connection) as one:
        first = client.get(f"/api/v1/{noun}")
    rows_of(noun, 2, acme)
    with django_assert_num_queries(len(one)):
        second = client.get(f"/api/v1/{noun}")

    assert len(second["results"]) == len(first["results"]) + 2
