"""django-tenants stays the base: its models, router, contexts, commands and test tools work with our engine."""

import io
from typing import Any

import pytest
from django.core.management import call_command
from django.db import connection as any_connection
from django.db import router
from django.test import TestCase
from django_tenants.migration_executors import get_executor
from django_tenants.migration_executors.standard import StandardExecutor
from django_tenants.test.client import TenantClient, TenantRequestFactory
from django_tenants.utils import (
    get_public_schema_name,
    get_tenant_domain_model,
    get_tenant_model,
    schema_context,
    schema_exists,
    tenant_context,
)

from apps.content.models import Template as ContentTemplate
from config.context import Place, at_place, current_tenant
from tenants import services
from tenants.models import Domain, Tenant
from tenants.provisioning import provision
from tests.tenants.releases import ADD_MOOD, Releases, columns, releases, tenants
from tests.tenants.schemas import drop_all, tenant_row

__all__ = ["releases"]
connection: Any = any_connection


def current_schema() -> str:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_schema()")
        return str(cursor.fetchone()[0])


def test_its_settings_name_our_models_and_its_schemas_are_ours(db: None, acme: Tenant):
    assert (get_tenant_model(), get_tenant_domain_model()) == (Tenant, Domain)
    assert get_public_schema_name() == "public"
    with at_place(Place.OWNER):
        assert schema_exists(acme.schema_name)
    assert acme.get_primary_domain().domain == services.host_of(acme.slug)


def test_its_contexts_lead_into_the_tenant_with_the_tenant_s_role(
    db: None, acme: Tenant, globex: Tenant
):
    with tenant_context(acme):
        seen = [current_schema()]
        with schema_context(globex.schema_name):
            seen.append(current_schema())
            with connection.cursor() as cursor:
                cursor.execute("SELECT current_user")
                seen.append(str(cursor.fetchone()[0]))
        seen.append(current_schema())
    seen.append(current_schema())

    assert seen == [
        acme.schema_name,
        globex.schema_name,
        globex.schema_name,
        acme.schema_name,
        "public",
    ]
    assert current_tenant() is None


def test_its_router_keeps_tables_of_tenants_out_of_public_and_the_reverse(db: None, acme: Tenant):
    public = {
        label: router.allow_migrate("default", label)
        for label in ("tenants", "billing", "crm", "content")
    }
    with schema_context(acme.schema_name):
        stall = {label: router.allow_migrate("default", label) for label in public}

    assert public == {"tenants": True, "billing": True, "crm": False, "content": False}
    assert stall == {"tenants": False, "billing": False, "crm": True, "content": True}


@pytest.mark.django_db(transaction=True)
@pytest.mark.parametrize("executor", ["standard", "multiprocessing"])
def test_migrate_schemas_migrates_the_square_and_every_tenant(releases: Releases, executor: str):
    made = tenants(2)
    releases.ship("0901_mood", ADD_MOOD)

    with at_place(Place.OWNER):
        call_command("migrate_schemas", executor=executor, verbosity=0)

    assert ["mood" in columns(tenant, "content_piece") for tenant in made] == [True, True]
    assert get_executor("standard") is StandardExecutor


@pytest.mark.django_db(transaction=True)
def test_its_commands_for_one_or_all_tenants_run(acme: Tenant, capsys: pytest.CaptureFixture[str]):
    provision(tenant_id=acme.pk)
    out = io.StringIO()
    with at_place(Place.OWNER):
        call_command("showmigrations", "content", stdout=out)
        call_command("tenant_command", "showmigrations", "crm", schema_name=acme.schema_name)
        call_command("all_tenants_command", "showmigrations", "campaigns", no_public=True)
    told = out.getvalue() + capsys.readouterr().out
    assert [app for app in ("content\n", "crm\n", "campaigns\n") if app in told] == [
        "content\n",
        "crm\n",
        "campaigns\n",
    ]
    assert "[ ]" not in told


class ATenantOfATest(TestCase):
    """As its TenantTestCase does it, with our provisioning: auto_create_schema is off on purpose."""

    tenant: Tenant

    @classmethod
    def setUpTestData(cls) -> None:
        cls.tenant = provision(tenant_id=tenant_row(status="active").pk)
        Domain.objects.create(
            tenant=cls.tenant, domain=services.host_of(cls.tenant.slug), is_primary=True
        )

    @classmethod
    def tearDownClass(cls) -> None:
        super().tearDownClass()
        drop_all()

    def test_its_client_and_request_factory_speak_to_the_tenant(self) -> None:
        answer = TenantClient(self.tenant).get("/api/v1/me")
        request = TenantRequestFactory(self.tenant).get("/api/v1/me")

        assert (answer.status_code, answer.json()["code"]) == (401, "credentials_missing")
        assert request.tenant == self.tenant
        assert request.get_host() == services.host_of(self.tenant.slug)

    def test_its_context_sees_the_tenant_s_rows(self) -> None:
        with tenant_context(self.tenant):
            assert ContentTemplate.objects.count() == 0
