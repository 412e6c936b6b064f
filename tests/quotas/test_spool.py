"""The file in which a process counts: nothing is lost when it grows, and nobody takes a living process's."""

from datetime import UTC, datetime
from pathlib import Path

from django.conf import settings

from config.ids import new_id
from quotas.spool import Spool, left_behind, spool

NOVEMBER = datetime(2026, 11, 1, tzinfo=UTC)


def test_a_file_that_grew_beyond_its_first_size_keeps_every_count(tmp_path: Path) -> None:
    counted = Spool(tmp_path / "grown.calls")
    tenants = [new_id() for _ in range(3_000)]
    for number, tenant_id in enumerate(tenants, start=1):
        counted.add(tenant_id, epoch="", period_start=NOVEMBER, calls=number)
    counted.close()
    again = Spool(tmp_path / "grown.calls")
    assert [(each.tenant_id, each.calls) for each in again.counts()] == [
        (tenant_id, number) for number, tenant_id in enumerate(tenants, start=1)
    ]
    again.add(tenants[0], epoch="", period_start=NOVEMBER, calls=1)
    assert again.counts()[0].calls == 2
    again.close()


def test_the_files_of_living_processes_are_not_left_behind() -> None:
    spool()
    other = Spool(settings.PLAZA_SPOOL / "other.calls")
    assert list(left_behind()) == []
    other.close()
    found = list(left_behind())
    assert [each.id for each in found] == [other.id]
    found[0].close()
