"""Each kind of migration by its own way: replayed SQL, data in Python, no transaction, names that differ."""

from pathlib import Path
from uuid import UUID

import psycopg
import pytest
from django.test import Client

from tenants import services
from tenants.engine.owner import owner_connection
from tenants.fleet import ledger, names
from tenants.fleet.connections import Connections
from tenants.fleet.patience import Patience
from tenants.fleet.replay import Recording, Replay
from tenants.fleet.steps import Steps
from tenants.models import Domain, Tenant
from tenants.template import code_version, same_as_template
from tests.tenants.releases import (
    ADD_MOOD,
    WORDS,
    Releases,
    ask,
    columns,
    migrate,
    noted,
    release_of_today,
    releases,
    tenants,
)

__all__ = ["releases"]
pytestmark = pytest.mark.django_db(transaction=True)
ADD_WORD = "INSERT INTO content_word (word) VALUES ('{}')"
SHOUT = """
def shout(apps, schema_editor):
    for each in apps.get_model("content", "Word").objects.all():
        each.word = each.word.upper()
        each.save()
"""
RUN_SHOUT = "migrations.RunPython(shout, migrations.RunPython.noop)"
WORDS_ONCE = WORDS.replace("max_length=20", "max_length=20, unique=True")
UNIQUES = (
    "SELECT conname FROM pg_constraint WHERE conrelid = 'content_word'::regclass AND contype = 'u'"
)
INDEX_WORD = "AddIndexConcurrently('word', models.Index(fields=['word'], name='word_by_word'))"


def words(tenant: Tenant) -> list[str]:
    return [word for (word,) in ask(tenant, "SELECT word FROM content_word ORDER BY id")]


def test_a_data_migration_runs_in_each_tenant_s_own_rows(releases: Releases):
    made = release_of_today(releases, 3)
    for number, tenant in enumerate(made):
        ask(tenant, ADD_WORD.format(f"word {number}"))
    releases.ship("0901_shout", RUN_SHOUT, ADD_MOOD, before=SHOUT)

    assert migrate().migrated == 3
    assert [words(tenant) for tenant in made] == [["WORD 0"], ["WORD 1"], ["WORD 2"]]
    assert [same_as_template(tenant.schema_name) for tenant in made] == [[]] * 3


def test_a_data_migration_that_raises_leaves_its_tenant_as_it_was(releases: Releases):
    made = release_of_today(releases, 3)
    ask(made[2], ADD_WORD.format("fails"))
    refuse = SHOUT + "        if each.word == 'FAILS': raise ValueError('not this word')\n"
    releases.ship("0901_shout", ADD_MOOD, RUN_SHOUT, before=refuse)

    outcome = migrate(stop_at=1)

    assert outcome.set_aside == {made[2].slug: "ValueError: not this word"}
    assert (words(made[2]), noted(made[2])) == (["fails"], ["0900_word"])
    assert "mood" not in columns(made[2], "content_piece")


def test_a_default_that_differs_each_time_is_not_copied_from_the_first_tenant(releases: Releases):
    made = release_of_today(releases, 4)
    for tenant in made:
        ask(tenant, ADD_WORD.format("one"))
    releases.ship(
        "0901_key", "migrations.AddField('word', 'key', models.UUIDField(default=uuid.uuid4))"
    )

    assert migrate().migrated == 4
    keys = {key for tenant in made for (key,) in ask(tenant, "SELECT key FROM content_word")}
    assert len(keys) == 4
    assert all(isinstance(key, UUID) for key in keys)


def test_sql_of_the_author_is_replayed_as_he_wrote_it(releases: Releases):
    made = release_of_today(releases, 4)
    releases.ship(
        "0901_odd",
        "migrations.RunSQL(\"INSERT INTO content_word (word) VALUES ('100 %') -- ; last\")",
        "migrations.RunSQL([(\"INSERT INTO content_word (word) VALUES (%s)\", ['o\\'k %s'])])",
    )

    assert migrate().migrated == 4
    assert [words(tenant) for tenant in made] == [["100 %", "o'k %s"]] * 4


def test_an_index_built_without_a_transaction_stops_the_web_for_its_own_tenant_alone(
    releases: Releases, tmp_path: Path
):
    made = release_of_today(releases, 2)
    for tenant in made:
        Domain.objects.create(tenant=tenant, domain=services.host_of(tenant.slug), is_primary=True)
    (tmp_path / "broken").write_text(made[1].schema_name)
    fail = (
        "from pathlib import Path\n"
        "def fail(apps, editor):\n"
        f"    flag = Path({str(tmp_path / 'broken')!r})\n"
        "    if flag.exists() and flag.read_text() == editor.connection.schema_name:\n"
        "        raise ValueError('broken')\n"
    )
    releases.ship(
        "0901_index", ADD_MOOD, INDEX_WORD, "migrations.RunPython(fail)", ADD_MOOD.replace("mood", "tone"),
        before=fail, attributes="atomic = False",
    )  # fmt: skip

    outcome = migrate(stop_at=1)

    half = Tenant.objects.get(pk=made[1].pk)
    assert (outcome.migrated, outcome.set_aside) == (1, {half.slug: "ValueError: broken"})
    assert (half.migration_state, half.half_way) == ("migrating", "content.0901_index:2")
    answers = [
        Client().get("/api/v1/me", headers={"Host": services.host_of(tenant.slug)})
        for tenant in made
    ]
    assert [answer.status_code for answer in answers] == [401, 503]
    assert (answers[1].json()["code"], answers[1]["Retry-After"]) == ("tenant_migrating", "5")

    (tmp_path / "broken").unlink()
    assert migrate().migrated == 1
    half.refresh_from_db()
    assert (half.migration_state, half.half_way, half.migration_error) == ("steady", "", "")
    assert same_as_template(half.schema_name) == []
    assert noted(half) == ["0900_word", "0901_index"]


def test_what_a_kill_left_of_an_index_is_built_anew_or_kept_when_whole(releases: Releases):
    made = release_of_today(releases, 3)
    built = "CREATE INDEX word_by_word ON content_word (word)"
    ask(made[0], built)
    ask(made[1], ADD_WORD.format("twice"))
    ask(made[1], ADD_WORD.format("twice"))
    with pytest.raises(psycopg.errors.UniqueViolation):
        ask(made[1], built.replace("INDEX", "UNIQUE INDEX CONCURRENTLY"))
    releases.ship("0901_index", INDEX_WORD, attributes="atomic = False")

    assert migrate().migrated == 3
    assert [same_as_template(tenant.schema_name) for tenant in made] == [[]] * 3


def test_a_schema_whose_names_differ_is_told_and_loses_its_own_constraint_all_the_same(
    releases: Releases,
):
    releases.ship("0900_word", WORDS_ONCE)
    made = tenants(4)
    other = "by_another_hand"
    ((name,),) = ask(made[0], UNIQUES)
    ask(made[2], f'ALTER TABLE content_word RENAME CONSTRAINT "{name}" TO {other}')
    releases.ship(
        "0901_twice", "migrations.AlterField('word', 'word', models.CharField(max_length=20))"
    )

    outcome = migrate()

    assert (outcome.migrated, outcome.drifted) == (4, [made[2].slug])
    assert [ask(tenant, UNIQUES) for tenant in made] == [[]] * 4


def test_what_a_squashed_migration_replaces_is_not_run_again(releases: Releases):
    made = release_of_today(releases, 2)
    releases.ship("0901_mood", ADD_MOOD)
    migrate()
    (releases.package / "0900_word.py").unlink()
    (releases.package / "0901_mood.py").unlink()
    releases.ship(
        "0901_squashed", "migrations.RunSQL('SELECT 1 / 0')",
        attributes="replaces = [('content', '0900_word'), ('content', '0901_mood')]",
    )  # fmt: skip

    outcome = migrate()

    assert (outcome.migrated, outcome.set_aside) == (2, {})
    assert [noted(tenant) for tenant in made] == [["0900_word", "0901_mood", "0901_squashed"]] * 2


def test_a_schema_with_half_of_what_is_squashed_is_set_aside(releases: Releases):
    made = release_of_today(releases, 2)
    releases.ship("0901_mood", ADD_MOOD)
    migrate()
    ask(made[1], "DELETE FROM django_migrations WHERE name = '0901_mood'")
    (releases.package / "0900_word.py").unlink()
    (releases.package / "0901_mood.py").unlink()
    releases.ship(
        "0901_squashed", WORDS_ONCE,
        attributes="replaces = [('content', '0900_word'), ('content', '0901_mood')]",
    )  # fmt: skip

    outcome = migrate(stop_at=1)

    assert list(outcome.set_aside) == [made[1].slug]
    assert "only some" in outcome.set_aside[made[1].slug]


def test_a_schema_that_was_migrated_meanwhile_is_refused_by_the_guard(releases: Releases):
    made = release_of_today(releases, 2)
    releases.ship("0901_mood", ADD_MOOD)
    with owner_connection() as owner:
        behind = ledger.laggards(owner, version=code_version())
        applied = names.applied(owner, [each.schema for each in behind])
    members = [(each, Steps().todo(applied[each.schema])) for each in behind]
    connections = Connections(1)
    replay = Replay(connections, version=code_version(), patience=Patience(500, 2))
    recording = Recording(members[0][1].keys, "", ("ALTER TABLE content_piece ADD mood text",))

    first = replay.batch(recording, members[:1])
    second = replay.batch(recording, members)
    connections.close()

    assert [each.error for each in first] == [None]
    assert isinstance(second[0].error, psycopg.errors.DivisionByZero)
    assert (second[0].may_go_warm, second[1].error) == (True, None)
    assert [noted(tenant) for tenant in made] == [["0900_word", "0901_mood"]] * 2
