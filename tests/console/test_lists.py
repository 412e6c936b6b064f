"""What the console shows, in both languages and a fixed number of queries."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from billing.services import subscriptions
from billing.services.grants import entitle
from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant
from tests import factories
from tests.console.doors import LISTS, page_of
from tests.portal.browser import person_of

pytestmark = pytest.mark.django_db


def test_the_list_of_tenants_tells_state_plan_and_usage(operator, acme, globex, now):
    ledger.consume(tenant_id=acme.pk, meter=Meter.CONTACTS, quantity=1_234, key="some", now=now)

    operator.get("/console/tenants/tenant/")

    assert "acme Acme Inc. active growth · on trial 1,234 / 50,000" in operator.text
    assert "globex Globex Inc. active starter · on trial 0 / 5,000" in operator.text


def test_an_unlimited_tenant_is_shown_as_such(operator, acme, now):
    entitle(tenant_id=acme.pk, plan="enterprise", now=now)

    operator.get("/console/tenants/tenant/")

    assert "0 / ∞" in operator.text


def test_a_tenants_page_tells_its_state_in_words(operator, acme):
    operator.get(f"/console/tenants/tenant/{acme.pk}/change/")

    assert "State active" in operator.text
    assert "Migration steady" in operator.text


def test_a_tenants_page_tells_its_subscription_grants_usage_people_and_webhooks(
    operator, acme, globex
):
    person_of(acme)
    person_of(globex)
    factories.WebhookEventFactory(kind="invoice.paid", tenant_id=acme.pk)
    factories.WebhookEventFactory(kind="invoice.of_globex", tenant_id=globex.pk)

    operator.get(f"{page_of(acme)}/change/")

    for words in ("growth on trial", "50,000", "owner@acme.test", "invoice.paid", "audit_export"):
        assert words in operator.text
    assert "owner@globex.test" not in operator.text
    assert "invoice.of_globex" not in operator.text


@pytest.mark.parametrize("path", LISTS)
def test_every_list_answers_in_both_languages_and_can_be_searched(operator, acme, path):
    factories.WebhookEventFactory(tenant_id=acme.pk)
    for language in ("en", "es"):
        page = operator.get(path, Accept_Language=language)
        assert f'lang="{language}"' in page
        assert {"en": "Customers", "es": "Clientes"}[language] in operator.text
    operator.get(f"{path}?q=acme")


@pytest.mark.parametrize("path", LISTS)
def test_nothing_is_edited_added_or_deleted_in_place(operator, acme, path):
    operator.get(f"{path}add/", status=403)
    row = LISTS[path]._default_manager.first()
    if row is None:
        return
    operator.get(f"{path}{row.pk}/delete/", status=403)
    operator.post(f"{path}{row.pk}/change/", {"slug": "hacked"}, status=403)
    page = operator.get(path)
    assert 'name="action"' not in page


def test_no_hash_of_a_password_is_shown(operator, acme):
    member = person_of(acme)

    page = operator.get(f"{page_of(member.person)}/change/")

    assert "owner@acme.test" in operator.text
    assert "argon2" not in page


def test_the_list_of_tenants_asks_the_database_a_fixed_number_of_times(operator, acme, now):
    counts = []
    for more in (0, 2):
        for _ in range(more):
            tenant = factories.TenantFactory()
            subscriptions.start(tenant=tenant, plan="growth", now=now)
        operator.get("/console/tenants/tenant/")
        with CaptureQueriesContext(connection) as asked:
            operator.get("/console/tenants/tenant/")
        counts.append(len(asked))

    assert Tenant.objects.count() == 3
    assert counts[0] == counts[1]


def test_a_tenants_page_tells_its_schemas_version_and_why_its_migration_was_set_aside(
    operator, acme
):
    Tenant.objects.filter(pk=acme.pk).update(
        schema_version="5ad0f1", migration_state="set_aside", migration_error="lock timeout"
    )

    operator.get(f"{page_of(acme)}/change/")
    for words in ("5ad0f1", "set aside", "lock timeout"):
        assert words in operator.text
    operator.get("/console/")
    assert "Migrations set aside 1" in operator.text
    operator.get("/console/tenants/tenant/?migration_state__exact=set_aside")
    assert "Acme Inc." in operator.text


def test_what_was_erased_is_listed_with_its_certificate(operator, now):
    gone = factories.ErasureFactory(
        slug="umbrella", finished_at=now, certificate={"sha256": "c0ffee"}
    )

    operator.get("/console/tenants/erasure/?q=umbrella")
    assert "umbrella" in operator.text
    operator.get(f"{page_of(gone)}/change/")
    assert "c0ffee" in operator.text
