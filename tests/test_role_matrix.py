"""Every address and method of a tenant, and which built-in roles may use it: `data/role_matrix.txt` says who.

A new address fails here until it stands there: decide who may, then write it down.
"""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.test import Client
from django.utils import timezone

from billing.services.grants import entitle
from config.checks import routes
from config.ids import new_id
from config.needs import Permission, Role, declared_by
from config.roles import BUILT_IN
from tenants.identity.scopes import is_scope
from tests.test_isolation import WORDS, spelled

pytestmark = pytest.mark.django_db
TABLE = Path(__file__).parent / "data" / "role_matrix.txt"
LETTERS = {
    Role.OWNER: "O", Role.ADMIN: "A", Role.BILLING: "B",
    Role.EDITOR: "E", Role.MEMBER: "M", Role.READ_ONLY: "R",
}  # fmt: skip
VERBS = ("get", "post", "put", "patch", "delete")
# They end the very sign-in that the other questions are asked with.
ENDINGS = {"/api/v1/auth/logout-everywhere", "/api/v1/members/leave"}

# Questions too long for an address.
READ_BY_POST = {
    *(f"/api/v1/{noun}/batch/read" for noun in ("companies", "contacts", "deals")),
    "/api/v1/segments/count",
}


def verbs_of(callback: Any) -> list[str]:
    """The methods that a view, a viewset or a page answers."""
    if actions := getattr(callback, "actions", None):
        return [verb for verb in VERBS if verb in actions]
    if holder := getattr(callback, "view_class", None) or getattr(callback, "cls", None):
        return [verb for verb in VERBS if hasattr(holder, verb)]
    methods = getattr(callback, "methods", {"GET", "POST"})
    return [verb for verb in VERBS if verb.upper() in methods]


def endpoints(urlconf: str) -> Iterator[tuple[str, str, Any]]:
    """Each (address, method, needs)."""
    for path, pattern in routes(urlconf):
        needs = declared_by(pattern.callback)
        if needs is not None:
            for verb in verbs_of(pattern.callback):
                yield spelled(path)[0], verb, needs


def who_may(needs: Any, verb: str) -> str:
    if needs.public:
        return "*"
    permission = needs.permission_for(verb.upper())
    return "".join(letter for role, letter in LETTERS.items() if permission in BUILT_IN[role])


def placed() -> dict[tuple[str, str], str]:
    """{(address, method): letters} as the table has it."""
    lines = [line.split() for line in TABLE.read_text().splitlines() if line[:1] == "/"]
    return {(address, verb): letters for address, verb, letters in lines}


@pytest.mark.parametrize("urlconf", [settings.ROOT_URLCONF, settings.API_URLCONF])
def test_each_address_is_for_the_roles_that_the_table_says(urlconf):
    found = {(address, verb): who_may(needs, verb) for address, verb, needs in endpoints(urlconf)}
    table = placed()

    wrong = {
        f"{address} {verb} {letters}"
        for (address, verb), letters in found.items()
        if table.get((address, verb)) != letters
    }
    assert wrong == set(), f"decide who may, and place them in {TABLE.name}"
    if urlconf == settings.ROOT_URLCONF:
        assert set(table) - set(found) == set(), "these addresses are gone"


def test_no_change_is_declared_a_reading_and_deleting_is_a_verb_of_its_own():
    for address, verb, needs in endpoints(settings.ROOT_URLCONF):
        if needs.public:
            continue
        permission = needs.permission_for(verb.upper())
        if verb == "get" or address in READ_BY_POST:
            assert permission.verb in {"read", "download", "export"}, address
        elif verb == "delete":
            assert permission.verb == "delete" or not is_scope(permission), address
        else:
            assert permission.verb not in {"read", "delete"}, (address, verb)


def test_every_permission_is_asked_for_somewhere():
    asked = {
        needs.permission_for(verb.upper())
        for _, verb, needs in endpoints(settings.ROOT_URLCONF)
        if not needs.public
    }
    # `pii:read` masks.
    assert set(Permission) - asked == {Permission.PII_READ}


def test_the_gate_holds_each_address_to_the_table(acme, api):
    """Asked for real: by the mightiest role that may not (403), and by the least that may (no such 403)."""
    entitle(tenant_id=acme.pk, plan="enterprise", now=timezone.now())
    clients = {letter: api(acme, role.value).client for role, letter in LETTERS.items()}
    wrong = []
    for (address, verb), letters in placed().items():
        if letters == "*" or address in ENDINGS:
            continue
        refused = [letter for letter in LETTERS.values() if letter not in letters]
        if refused and not _is_denied(clients[refused[0]], address, verb):
            wrong.append((address, verb, refused[0], "was not refused"))
        if _is_denied(clients[letters[-1]], address, verb):
            wrong.append((address, verb, letters[-1], "was refused"))
    assert wrong == []


def _is_denied(client: Client, address: str, verb: str) -> bool:
    """Whether the answer is that a permission is missing."""
    filled = re.sub(r"\{(\w+)\}", lambda name: WORDS.get(name[1], str(new_id())), address)
    options: dict[str, Any] = {"headers": {"Accept": "application/json"}}
    if verb != "get":
        options |= {"data": "{}", "content_type": "application/json"}
    answer = getattr(client, verb)(filled, **options)
    return answer.status_code == 403 and b"needed_permission" in answer.content
