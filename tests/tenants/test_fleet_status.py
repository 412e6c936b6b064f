"""What `fleet status` shows, and how it mends a ledger that somebody went round."""

import io
import json
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from config.context import Place, at_place
from tenants import fleet
from tenants.fleet.progress import Shown, line_of
from tenants.fleet.standing import Behind, ReadySchemas
from tenants.models import ReadySchema, Tenant
from tenants.pool import fill_pool
from tenants.template import code_version
from tests.tenants.releases import (
    ADD_MOOD,
    Releases,
    ask,
    migrate,
    release_of_today,
    releases,
    tenants,
)
from tests.tenants.test_fleet import NO_LONG_WORDS

__all__ = ["releases"]
pytestmark = pytest.mark.django_db(transaction=True)


def printed(*arguments: str) -> str:
    out = io.StringIO()
    call_command("fleet", *arguments, stdout=out)
    return out.getvalue()


def test_status_shows_versions_who_is_behind_the_ready_ones_and_sizes(releases: Releases):
    made = release_of_today(releases, 3)
    fill_pool(wanted=2)
    ReadySchema.objects.filter(pk=ReadySchema.objects.latest("made_at").pk).update(
        claimed_at="2026-01-01T00:00Z"
    )
    old = code_version()
    ask(made[1], "INSERT INTO content_word SELECT i, 'abandonment' FROM generate_series(1, 9999) i")
    releases.ship("0901_short", NO_LONG_WORDS)
    with pytest.raises(CommandError, match="1 tenants were set aside"):
        call_command(
            "fleet", "migrate", "--only", made[1].slug, "--stop-at", "100", stdout=io.StringIO()
        )
    migrate(only=(made[0].slug,))

    standing = fleet.status()

    assert standing.code_version == code_version()
    assert standing.versions == {old: 2, code_version(): 1}
    (failed,) = standing.set_aside
    assert (failed.slug, failed.version, failed.state) == (made[1].slug, old, "set_aside")
    assert "word_is_short" in failed.error
    assert [each for each in standing.behind if not each.error] == [
        Behind(made[2].slug, old, "steady", "")
    ]
    assert standing.ready == [ReadySchemas(old, 1, 1)]
    assert {size.slug for size in standing.sizes} == {tenant.slug for tenant in made}
    assert standing.sizes[0].slug == made[1].slug
    assert standing.sizes[0].size_bytes > standing.sizes[1].size_bytes > 100_000
    assert len({size.tables for size in standing.sizes}) == 1
    assert standing.database_bytes > sum(size.size_bytes for size in standing.sizes)
    text = printed("status")
    assert f"  {old:<18} 2 tenants  (behind)" in text
    assert f"Ready at {old}: 1 waiting, 1 being claimed." in text
    assert "word_is_short" in text


def test_after_migrate_schemas_by_hand_the_ledger_is_mended(releases: Releases):
    made = tenants(3)
    releases.ship("0901_mood", ADD_MOOD)
    with at_place(Place.OWNER):
        call_command("migrate_schemas", schema_name=made[0].schema_name, verbosity=0)
        call_command("migrate_schemas", schema_name=made[1].schema_name, verbosity=0)

    (document,) = json.loads(printed("status", "--json"))["results"]

    assert document["repaired"] == 2
    assert [each["slug"] for each in document["behind"]] == [made[2].slug]
    assert set(
        Tenant.objects.filter(pk__in=[made[0].pk, made[1].pk]).values_list(
            "schema_version", flat=True
        )
    ) == {code_version()}
    # `fleet migrate` takes such a schema as it is, too.
    Tenant.objects.filter(pk=made[0].pk).update(schema_version="")
    assert migrate().migrated == 2
    assert fleet.status().behind == []


def test_the_command_tells_lines_or_one_document_and_its_exit_code_says_how_it_went(
    releases: Releases,
):
    made = release_of_today(releases, 4)
    releases.ship("0901_mood", ADD_MOOD)

    text = printed("migrate", "--waves", "2,rest", "--canary", made[3].slug)
    assert f"The canary is {made[3].slug}." in text
    assert "Wave 1: 2 schemas." in text
    assert "4/4 schemas, " in text
    assert f"At version {code_version()}: 4 tenants and 0 ready schemas were brought along" in text

    ask(made[0], "INSERT INTO content_word (word) VALUES ('abandonment')")
    releases.ship("0902_short", NO_LONG_WORDS)
    out = io.StringIO()
    with pytest.raises(CommandError, match="The canary failed: no other tenant"):
        call_command("fleet", "--json", "migrate", "--canary", made[0].slug, stdout=out)
    assert out.getvalue() == ""  # a caller from Python has the exception
    (document,) = json.loads(printed("migrate", "--json", "--only", made[1].slug))["results"]
    assert (document["migrated"], document["version"]) == (1, code_version())


@pytest.mark.parametrize(
    "wrong",
    [["--waves", "0"], ["--waves", "ten"], ["--stop-at", "101"], ["--connections", "-1"], ["--canary", "nobody"]],
)  # fmt: skip
def test_a_wrong_order_is_refused(db: Any, wrong: list[str]):
    with pytest.raises(CommandError):
        call_command("fleet", "migrate", *wrong, stdout=io.StringIO())


def test_fill_makes_ready_schemas(releases: Releases):
    assert "2 ready schemas were made." in printed("fill", "--ready", "2")
    assert ReadySchema.objects.count() == 2


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_progress_is_a_bar_on_a_terminal_and_lines_on_a_pipe():
    assert line_of(120, 500, 2.0, "schemas") == "120/500 schemas, 60.0 a second, 0:00:06 left"
    assert line_of(1, 9000, 1.0, "schemas") == "1/9000 schemas, 1.0 a second, 2:29:59 left"
    assert line_of(500, 500, 2.0, "schemas") == "500/500 schemas, 250.0 a second"
    assert line_of(0, 500, 0.0, "schemas") == "0/500 schemas, 0.0 a second"
    shown: list[str] = []
    for stream in (Terminal(), io.StringIO()):
        progress = Shown(stream)
        progress.begin(4)
        progress.advance(2)
        progress.advance(2)
        progress.end()
        shown.append(stream.getvalue())
    assert shown[0].startswith(f"\r\x1b[K[{'#' * 28}] 4/4 schemas, ")
    assert shown[0].endswith(" a second\n")
    assert shown[1].count("\n") == 1
    assert "\r" not in shown[1]
