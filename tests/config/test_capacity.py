"""`manage.py capacity` reckons what figures say, in the open."""

import json
from dataclasses import replace
from io import StringIO

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config.capacity import MEASURED, Figures, reckon
from tests.stack import REPOSITORY

ROUND = Figures(
    web_us=1_000, postgres_us=600, redis_us=60, web_mib=150, worker_mib=90, empty_tenant_mib=0.5,
    tenant_relations=70, contact_kib=2, remembered_mib=1, migrated_a_second=50,
)  # fmt: skip


def test_the_need_is_the_arithmetic_of_the_figures():
    need = reckon(tenants=1_000, rps=600, contacts=1_024, figures=ROUND)

    assert (need.web_cores, need.postgres_cores, need.redis_cores) == (1.0, 0.6, 0.06)
    # Two pods of half a core, and one more; 8 processes of workers beside them.
    assert (need.web_pods, need.connections, need.needs_pooler) == (3, 198, False)
    assert (need.catalog_mib, need.database_mib, need.files_of_tables) == (500, 2_500, 70_000)
    # Each of 198 connections remembers 50 tenants.
    assert (need.postgres_memory_mib, need.migration_minutes) == (198 * 50 + 500, 0.3)


@pytest.mark.parametrize(
    ("tenants", "rps", "overlay", "pooler"),
    [
        (50, 100, "single", False),
        (500, 100, "production", False),
        (1_000, 6_000, "large", True),
        (20_000, 100, "citus", False),
        (50, 60_000, "citus", True),
    ],
)
def test_the_overlay_is_the_smallest_that_carries_it(tenants, rps, overlay, pooler):
    need = reckon(tenants=tenants, rps=rps, contacts=10, figures=ROUND)

    assert (need.overlay, need.needs_pooler) == (overlay, pooler)


def test_the_command_tells_people_and_programs():
    told, document = StringIO(), StringIO()
    call_command("capacity", tenants=1_000, rps=500, stdout=told)
    call_command("capacity", tenants=1_000, rps=500, json=True, stdout=document)
    (found,) = json.loads(document.getvalue())["results"]

    assert f"overlays/{found['overlay']}" in told.getvalue()
    assert found["files_of_tables"] == 1_000 * MEASURED.tenant_relations
    with pytest.raises(CommandError):
        call_command("capacity", "--tenants", "0", "--rps", "5")


def test_the_table_of_the_readme_is_what_the_command_says():
    text = (REPOSITORY / "README.md").read_text()
    rows = [line for line in text.splitlines() if line.startswith("| ") and " req/s |" in line]

    assert len(rows) == 4
    for row in rows:
        tenants, rps = (
            int(cell.split()[0].replace(",", "")) for cell in row.strip("| ").split(" | ")[:2]
        )
        need = reckon(tenants=tenants, rps=rps, contacts=5_000)
        assert row == (
            f"| {tenants:,} | {rps:,} req/s | {need.web_cores:.1f} | {need.postgres_cores:.1f} |"
            f" {need.web_pods} | {need.connections:,}{' and a pooler' if need.needs_pooler else ''} |"
            f" {need.database_mib / 1024:,.0f} GiB | `{need.overlay}` |"
        )


def test_figures_are_of_something_that_was_measured():
    assert replace(MEASURED) == MEASURED
    assert min(getattr(MEASURED, name) for name in Figures.__slots__) > 0
