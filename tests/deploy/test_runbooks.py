"""deploy/runbooks can be run from top to bottom: commands, flags and addresses exist, and the shell reads them."""

import re
import shlex
import subprocess
from collections.abc import Iterator
from uuid import UUID

import pytest
import yaml
from django.core.management import get_commands, load_command_class
from django.core.management.base import BaseCommand, CommandError
from django.urls import Resolver404, resolve

from tests.stack import REPOSITORY

RUNBOOKS = REPOSITORY / "deploy" / "runbooks"
PAGES = sorted(RUNBOOKS.glob("*.md"))
RULES = sorted((REPOSITORY / "deploy" / "prometheus" / "rules").glob("*.yml"))
# What is asked for in the issue, by the names of the files.
ASKED = {
    "database-down", "redis-down", "provider-down", "webhook-backlog", "stuck-migration",
    "noisy-tenant", "leaked-key", "restore-a-tenant", "erase-a-person", "rotate-keys",
    "upgrade-postgresql", "grow-to-citus",
}  # fmt: skip
AN_ID = UUID(int=7).hex


def lines(text: str) -> Iterator[str]:
    """Every line of shell, without the indentation that lists give it."""
    for block in re.findall(r"^ *```sh\n(.*?)^ *```$", text, flags=re.MULTILINE | re.DOTALL):
        yield from (line.strip() for line in block.splitlines())


def commands(text: str) -> Iterator[list[str]]:
    """`manage.py`'s part of every line that calls it, also within a sentence."""
    for line in lines(text):
        words = shlex.split(line)
        if words[:1] == ["plaza"]:
            yield words[1:]
        elif words[:2] == ["python", "manage.py"]:
            yield words[2:]
    for spoken in re.findall(r"`plaza ([a-z][^`]*)`", text):
        if "…" not in spoken:
            yield shlex.split(spoken)


def fault_of(words: list[str]) -> str | None:
    """What `manage.py` would say of these words before it does anything."""
    name, *arguments = words
    if name not in get_commands():
        return f"no command {name}"
    source = get_commands()[name]
    command: BaseCommand = load_command_class(str(source), name)
    try:
        command.create_parser("manage.py", name).parse_args(arguments)
    except CommandError as error:
        return f"{words}: {error}"
    return None


def test_there_is_a_page_for_each_trouble_and_the_index_leads_to_it():
    index = (RUNBOOKS / "README.md").read_text()

    assert {page.stem for page in PAGES} == ASKED | {"README"}
    assert set(re.findall(r"\]\(([a-z-]+)\.md\)", index)) == ASKED


def test_every_command_and_flag_exists():
    found = [words for page in PAGES for words in commands(page.read_text())]

    assert [fault for words in found if (fault := fault_of(words)) is not None] == []
    assert fault_of(["fleet", "migrate", "--backwards"]) is not None
    assert len(found) > 40


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_shell_can_read_it(page):
    script = "\n".join(lines(page.read_text()))

    told = subprocess.run(["bash", "-n"], input=script, capture_output=True, text=True, check=False)
    assert (told.returncode, told.stderr) == (0, "")


def test_every_address_of_the_api_exists():
    wrong = []
    for page in PAGES:
        for path in re.findall(r"/api/v1/[a-z$_A-Z/-]+", page.read_text()):
            asked = re.sub(r"\$[A-Z_]+", str(UUID(AN_ID)), path).rstrip("/")
            try:
                resolve(asked, "config.urls_tenant")
            except Resolver404:
                wrong.append((page.name, path))
    assert wrong == []


def test_every_deployment_that_a_page_names_is_one_of_ours():
    ours = set()
    for name in ("web", "workers", "fleet"):
        text = (REPOSITORY / "deploy" / "kubernetes" / "base" / f"{name}.yaml").read_text()
        ours |= {
            f"{each['kind'].lower()}/{each['metadata']['name']}"
            for each in yaml.safe_load_all(text)
        }
    told = {
        name
        for page in PAGES
        for name in re.findall(r"\b(?:deployment|job)/[a-z0-9-]+", page.read_text())
    }

    assert told - ours == set()


def test_every_alert_leads_to_a_page_that_names_it():
    wrong = []
    for file in RULES:
        for group in yaml.safe_load(file.read_text())["groups"]:
            for rule in group["rules"]:
                page = rule.get("annotations", {}).get("runbook")
                if page is not None and not (REPOSITORY / page).exists():
                    wrong.append((rule["alert"], page))
    assert wrong == []
