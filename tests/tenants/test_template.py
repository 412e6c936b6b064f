"""The template follows the migrations by itself, and tells how a schema differs from it."""

import shutil
import sys
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.recorder import MigrationRecorder

from tenants import template
from tenants.models import Template
from tenants.provisioning import provision
from tenants.rendering import Cursor
from tenants.template import TEMPLATE_SCHEMA, code_version, same_as_template, version_of
from tests.tenants.schemas import catalog, drop_all, owner_cursor, tenant_row

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _nothing_left(db: None) -> Iterator[None]:
    drop_all()
    yield
    drop_all()


@pytest.fixture
def cursor(db: None) -> Iterator[Cursor]:
    """Of a transaction that is rolled back."""
    with owner_cursor() as cursor, cursor.connection.transaction(force_rollback=True):
        yield cursor


def test_the_version_is_the_migrations_that_a_schema_has(cursor: Cursor):
    template.current()

    assert version_of(cursor, TEMPLATE_SCHEMA) == code_version()
    assert version_of(cursor, "nowhere") == ""
    cursor.execute(
        "INSERT INTO template.django_migrations (app, name, applied) VALUES ('crm', '9999_of_tomorrow', now())"
    )
    assert version_of(cursor, TEMPLATE_SCHEMA) == code_version()
    cursor.execute("DELETE FROM template.django_migrations WHERE app = 'crm' AND name LIKE '0002%'")
    assert version_of(cursor, TEMPLATE_SCHEMA) not in {code_version(), ""}


def test_the_sql_names_no_schema_and_holds_the_migrations_that_ran():
    current = template.current()

    assert f" {TEMPLATE_SCHEMA}." not in current.sql
    assert "public." not in current.sql
    assert set(current.tables) >= {
        "crm_contact",
        "campaigns_campaign",
        "content_piece",
        "django_migrations",
    }
    applied = MigrationRecorder(connection).migration_qs
    for app, name in applied.filter(app="crm").values_list("app", "name"):
        assert f"'{app}', '{name}'" in current.sql


def test_each_drift_is_told_and_a_mere_rewording_is_none():
    tenant = provision(tenant_id=tenant_row().pk)
    schema = tenant.schema_name
    with owner_cursor() as cursor:
        cursor.execute(
            f"ALTER TABLE {schema}.campaigns_campaign DROP CONSTRAINT campaign_status_is_known"
        )
        cursor.execute(
            f"ALTER TABLE {schema}.campaigns_campaign ADD CONSTRAINT campaign_status_is_known CHECK (status IN"
            " ('draft', 'scheduled', 'active', 'paused', 'completed', 'cancelled'))"
        )
    assert catalog(schema) != catalog(TEMPLATE_SCHEMA)
    assert same_as_template(schema) == []
    with owner_cursor() as cursor:
        cursor.execute(f"ALTER TABLE {schema}.crm_tag ADD COLUMN extra int")
        cursor.execute(f"ALTER TABLE {schema}.crm_tag ALTER COLUMN name TYPE varchar(7)")
        cursor.execute(f"DROP INDEX {schema}.company_by_part_of_name")
    assert [line.split(": is")[0] for line in same_as_template(schema)] == [
        "missing: index company_by_part_of_name",
        "unexpected: column crm_tag.extra",
        "differs: column crm_tag.name",
    ]
    with owner_cursor() as cursor:
        cursor.execute(f"DELETE FROM {schema}.django_migrations WHERE app = 'crm'")
    (line,) = same_as_template(schema)
    assert line.startswith("version: is ")


def test_many_who_refresh_at_once_do_it_once():
    Template.objects.all().delete()
    told: list[str] = []

    def run(_: int) -> str:
        try:
            return template.refresh(tell=told.append).version
        finally:
            connection.close()

    with ThreadPoolExecutor(4) as pool:
        versions = list(pool.map(run, range(4)))

    assert versions == [code_version()] * 4
    assert told == [f"The template is at version {code_version()}."]
    assert template.refresh(tell=told.append) == Template.objects.get()
    assert len(told) == 1


@pytest.fixture
def next_release(tmp_path: Path, settings: Any, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The code with one more migration of content; the template is made anew afterwards."""
    package = tmp_path / "content_of_tomorrow"
    shutil.copytree(settings.BASE_DIR / "apps" / "content" / "migrations", package)
    last = max(path.stem for path in package.glob("0*.py"))
    (package / "0999_mood.py").write_text(
        "from django.db import migrations, models\n"
        "class Migration(migrations.Migration):\n"
        f"    dependencies = [('content', '{last}')]\n"
        "    operations = [migrations.AddField('piece', 'mood', models.CharField(max_length=9, default='fair'))]\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    settings.MIGRATION_MODULES = {"content": "content_of_tomorrow"}
    template.forget_code()
    yield
    del settings.MIGRATION_MODULES
    template.forget_code()
    for name in [name for name in sys.modules if name.startswith("content_of_tomorrow")]:
        del sys.modules[name]
    with owner_cursor() as cursor:
        cursor.execute("DROP SCHEMA template CASCADE; DELETE FROM public.tenants_template")


def test_the_template_follows_the_migrations_by_itself(request: pytest.FixtureRequest):
    before = template.current()
    old = provision(tenant_id=tenant_row().pk)

    request.getfixturevalue("next_release")
    new = provision(tenant_id=tenant_row().pk)

    assert code_version() != before.version
    assert new.schema_version == code_version()
    assert ("mood" in before.sql, "mood" in template.current().sql) == (False, True)
    assert same_as_template(new.schema_name) == []
    assert same_as_template(old.schema_name) == [
        f"version: is {before.version}, the template's is {code_version()}"
    ]
    assert set(Template.objects.values_list("version", flat=True)) == {
        before.version,
        code_version(),
    }
    # Provisioned again it stays what it is: the fleet migrates it.
    assert provision(tenant_id=old.pk).schema_version == before.version
