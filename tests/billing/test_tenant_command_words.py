"""`manage.py tenant` for whoever uses it for the first time: refusals are sentences, and say the way on."""

import io
import json
import re
import subprocess
import sys
import zipfile

import pytest
from django.core.management import CommandError, call_command

from billing.management.commands.tenant import Command
from config.management.output import Refused, sentence, shown
from quotas.refusals import QuotaExceeded
from tenants import shares
from tenants.models import Tenant
from tests.processes import environment_here
from tests.stack import REPOSITORY
from tests.tenants.endings import furnished, own_files  # noqa: F401

pytestmark = pytest.mark.django_db


def said(*arguments: str) -> tuple[int, str, str]:
    """As from a shell, but for the connection, which stays open: exit code, stdout, stderr."""
    out, err = io.StringIO(), io.StringIO()
    command = Command(stdout=out, stderr=err)
    command._called_from_command_line = True  # type: ignore[attr-defined]  # Django's own, for run_from_argv
    options = vars(command.create_parser("manage.py", "tenant").parse_args(arguments))
    try:
        command.execute(**options)
    except CommandError as error:
        return error.returncode, out.getvalue(), f"{type(error).__name__}: {error}\n"
    except SystemExit as end:
        return int(str(end.code)), out.getvalue(), err.getvalue()
    return 0, out.getvalue(), err.getvalue()


@pytest.fixture(autouse=True)
def _no_terminal(monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO())


NEW = ("--organisation", "Sol", "--email", "a@sol.example")


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (
            ("create", "Bad Slug", *NEW),
            "slug: Use 2 to 40 lower-case letters, digits and single hyphens. [validation_failed]",
        ),
        (
            ("create", "acme", *NEW),
            "This subdomain is taken. (slug: acme) [slug_taken] It is a tenant's, or was one's in the"
            " last 90 days: choose another.",
        ),
        (
            ("create", "sol", "--organisation", " ", "--email", "a@sol.example"),
            "organisation: A name of 1 to 200 printable characters on one line. [validation_failed]",
        ),
        (
            ("create", "sol", *NEW),
            "There is no terminal to ask for the owner's password: give it on a pipe, like"
            ' `printf %s "$PASSWORD" | manage.py tenant create sol … --password-stdin`.',
        ),
        (("create", "sol", *NEW, "--password-stdin"), "No password was given: nothing was done."),
        (("show", "acmee"), "There is no tenant 'acmee'. Did you mean 'acme'?"),
        (("show", "\N{SNOWMAN}"), "There is no tenant '\N{SNOWMAN}'. `tenant list` tells all of them."),
        (("scale", "acme", "--worker-slots", "0"), "worker_slots: From 1 to 1000. [validation_failed]"),
        (
            ("domain", "verify", "acme", "no.example.com"),
            "Not found. [not_found] `tenant show acme` and `tenant domain list acme` tell what there is.",
        ),
        (
            ("erase", "acme", "--yes"),
            "This tenant is not closed. (state: active) [tenant_not_closing] `tenant close acme"
            " --reason …` comes before it.",
        ),
    ],
)  # fmt: skip
def test_a_refusal_is_a_sentence_with_the_facts_and_the_way_on(acme, arguments, line):
    code, out, err = said(*arguments)

    assert (code, out) == (1, "")
    assert err.partition(": ")[2] == f"{line}\n"
    assert Tenant.objects.count() == 1


def test_with_json_a_name_that_nobody_has_is_told_with_code_and_facts(acme):
    code, out, _ = said("show", "acmee", "--json")
    assert (code, json.loads(out)) == (
        1,
        {
            "error": "There is no tenant 'acmee'. Did you mean 'acme'?",
            "code": "not_found",
            "facts": {"slug": "acmee"},
        },
    )


def test_with_json_a_refusal_is_a_document_with_code_and_facts(acme):
    code, out, err = said("create", "acme", *NEW, "--json")

    told = json.loads(out)
    assert (code, err) == (1, "")
    assert (told["code"], told["facts"]) == ("slug_taken", {"slug": "acme"})
    assert told["error"].startswith("This subdomain is taken. (slug: acme)")


def test_facts_are_told_in_words():
    refusal = QuotaExceeded(
        meter="contacts", limit=5, used=4, asked=2, resets_at=None, upgrade_to="x"
    )
    assert sentence(refusal) == (
        "2 asked for, 4 of 5 in use. The plan x would allow it. (meter: contacts; limit: 5; used: 4;"
        " asked: 2; resets at: none; upgrade to: x) [quota_exceeded]"
    )


def test_a_closed_tenant_shows_until_when_it_can_be_restored_and_how(acme, now):
    said("close", "acme", "--reason", "Over.")
    day = shown(Tenant.objects.get(slug="acme").erase_after)

    assert re.fullmatch(r"\d{4}-\d\d-\d\d \d\d:\d\d UTC", day)
    assert f"reason=Over. erase_after={day}\n" in said("show", "acme")[1]
    assert said("resume", "acme")[2] == (
        f"Refused: This tenant is closed and will be erased. (reason: Over.; erase after: {day})"
        " [tenant_closing] `tenant restore acme` is the way back.\n"
    )
    assert "--now acme` erases it at once" in said("erase", "acme", "--yes")[2]
    assert json.loads(said("show", "acme", "--json")[1])["results"][0]["reason"] == "Over."


def test_show_tells_the_shares_and_what_is_taken_of_them(acme, now):
    shares.scale(tenant_id=acme.id, by_hand={"worker_slots": 7}, now=now)

    _, text, _ = said("show", "acme")
    rows = json.loads(said("show", "acme", "--json")[1])["results"]

    assert text.splitlines()[-4:] == [
        "  statement_timeout_ms: 15000",
        "  connection_share: 8",
        "  worker_slots: 0 of 7 (by hand)",
        "  storage_limit_bytes: 0 of 20000000000",
    ]
    assert rows[-2] == {"share": "worker_slots", "limit": 7, "by_hand": True, "used": 0}


def test_a_former_name_leads_to_the_present_one(acme):
    call_command("tenant", "rename", "acme", "acme-sl", stdout=io.StringIO())
    assert "It is called 'acme-sl' now." in said("show", "acme")[2]


@pytest.mark.django_db(transaction=True)
@pytest.mark.usefixtures("own_files")
def test_an_import_looks_at_the_name_first_and_warns_of_a_plan_that_is_too_small(tmp_path):
    furnished("sol", people=("a@sol.test", "b@sol.test", "c@sol.test"))
    to = tmp_path / "sol.zip"
    said("export", "sol", "--to", str(to))
    broken = tmp_path / "broken.zip"
    broken.write_bytes(to.read_bytes()[:3_000])

    assert "[slug_taken]" in said("import", str(broken), "--slug", "sol")[2]
    assert "This is no whole zip file." in said("import", str(broken), "--slug", "nova")[2]
    assert "No such file" in said("import", str(tmp_path / "none.zip"), "--slug", "nova")[2]
    assert "Is a directory" in said("import", str(tmp_path), "--slug", "nova")[2]
    assert "is a folder: name a file in it" in said("export", "sol", "--to", str(tmp_path))[2]
    code, out, err = said("import", str(to), "--slug", "nova", "--plan", "free", "--json")

    assert err.splitlines()[:2] == [
        "Warning: the archive holds 3 seats, and the plan free allows 2: they are kept, and no more can"
        " be added.",
        "The plan starter has room: --plan starter",
    ]
    told = json.loads(out)["results"][0]
    assert (code, told["above_plan"]) == (0, [{"meter": "seats", "used": 3, "limit": 2}])
    assert "above_plan" not in said("import", str(to), "--slug", "luna")[1]


@pytest.mark.usefixtures("own_files")
def test_an_archive_whose_usage_is_no_usage_is_refused(tmp_path, acme):
    to = tmp_path / "odd.zip"
    with zipfile.ZipFile(to, "w") as archive:
        archive.writestr("manifest.json", "{}")
    assert "[archive_invalid]" in said("import", str(to), "--slug", "nova")[2]


def test_a_server_that_is_away_is_told_in_a_line():
    away = environment_here(DATABASE_URL="postgresql://x@127.0.0.1:9/x", DATABASE_SQUARE_URL="")
    answer = subprocess.run(
        [sys.executable, "manage.py", "tenant", "list"],
        cwd=REPOSITORY, env=away, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert answer.returncode == 1
    assert answer.stderr.splitlines()[-1].startswith("CommandError: PostgreSQL does not answer: ")
    assert "Traceback" not in answer.stderr


def test_whoever_calls_it_from_python_gets_the_refusal(acme):
    with pytest.raises(Refused) as raised:
        call_command("tenant", "create", "acme", *NEW)
    assert (raised.value.code, raised.value.facts) == ("slug_taken", {"slug": "acme"})
