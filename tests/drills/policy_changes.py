"""What the drill `policy` changes of a tenant, and how an answer tells the old state from the new."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from uuid import UUID

from django.db import transaction

from config.needs import Role
from tenants import services
from tenants.hosts import rename
from tenants.identity.keys import create_key, revoke_key
from tenants.identity.people import add_member
from tenants.identity.tokens import revoke_family
from tenants.isolation import square_context
from tenants.models import Member, Person, RefreshToken, Tenant
from tests.drills.estate import Account, Estate
from tests.drills.wire import Wish

_LIST = "/api/v1/contacts?limit=1"
Expectation = tuple[Wish, frozenset[str]]


@dataclass(slots=True)
class Change:
    """`states` tells for each state what is asked and which answers are right; `make` leads from old to new."""

    name: str
    old: str
    new: str
    make: Callable[[], None]
    states: dict[str, list[Expectation]]

    def asked(self, state: str) -> list[Expectation]:
        return self.states[state]


def _expected(wish: Wish, *answers: str) -> list[Expectation]:
    return [(wish, frozenset(answers))]


def changes(estate: Estate, account: Account) -> Iterator[Change]:
    """Each when the one before it is done; what is undone by another comes before that one."""
    _at_its_present_name(account)
    yield suspension(account)
    suspended(account)
    yield _resumption(account)
    released(account)
    yield from _limits(estate, account)
    yield _key(account)
    yield from _member(estate, account)
    yield _family(estate, account)
    yield _name(account)


def changes_of_credentials(estate: Estate, account: Account) -> list[Change]:
    """Those that stand side by side."""
    _at_its_present_name(account)
    return [_key(account), next(_member(estate, account)), _family(estate, account)]


def _at_its_present_name(account: Account) -> None:
    with square_context():
        account.tenant.refresh_from_db(fields=["slug"])


def _square(work: Callable[[], object]) -> Callable[[], None]:
    def made() -> None:
        with square_context(), transaction.atomic():
            work()

    return made


def suspended(account: Account) -> None:
    _square(lambda: services.suspend(tenant_id=account.tenant.pk, reason="A drill."))()


def released(account: Account) -> None:
    _square(lambda: services.resume(tenant_id=account.tenant.pk))()


def _open_or_not(account: Account) -> dict[str, list[Expectation]]:
    wish = Wish("GET", _LIST, account.host, account.headers)
    return {
        "active": _expected(wish, "200"),
        "suspended": _expected(wish, "403 tenant_suspended"),
    }


def suspension(account: Account) -> Change:
    states = _open_or_not(account)
    return Change("suspend", "active", "suspended", lambda: suspended(account), states)


def _resumption(account: Account) -> Change:
    states = _open_or_not(account)
    return Change("resume", "suspended", "active", lambda: released(account), states)


def _limits(estate: Estate, account: Account) -> Iterator[Change]:
    """Of contacts, which the ledger counts: API calls are not limited while Redis is away."""
    tenant_id = account.tenant.pk
    wish = Wish("POST", "/api/v1/contacts", account.host, account.headers, {"first_name": "Drill"})
    states = {"open": _expected(wish, "201"), "used up": _expected(wish, "402 quota_exceeded")}

    def lower() -> None:
        estate.allow(tenant_id, contacts=0)

    def raise_() -> None:
        estate.allow(tenant_id, contacts=None)

    yield Change("lower a limit", "open", "used up", lower, states)
    lower()
    yield Change("raise a limit", "used up", "open", raise_, states)
    raise_()


def _key(account: Account) -> Change:

    tenant_id = account.tenant.pk
    with square_context():
        key, raw = create_key(
            tenant_id=tenant_id, name="drill", scopes=("read",), created_by_id=account.owner.pk
        )
    wish = Wish("GET", _LIST, account.host, {"Authorization": f"Api-Key {raw}"})
    elsewhere = Wish("GET", _LIST, "api.plaza.localhost", wish.headers)
    refused = ("403 api_key_invalid",)
    states = {
        "valid": [*_expected(wish, "200"), *_expected(elsewhere, "200")],
        "revoked": [*_expected(wish, *refused), *_expected(elsewhere, *refused)],
    }

    def revoke() -> None:
        revoke_key(tenant_id=tenant_id, key_id=key.pk, now=datetime.now(UTC))

    return Change("revoke a key", "valid", "revoked", _square(revoke), states)


def _member(estate: Estate, account: Account) -> Iterator[Change]:

    with square_context():
        person = Person.objects.create(
            email=f"m{Person.objects.count()}@{account.tenant.slug}.example"
        )
        member = add_member(tenant=account.tenant, person=person, role=Role.MEMBER)
    headers = {"Authorization": estate.token_of(member)}
    write = Wish("POST", "/api/v1/contacts", account.host, headers, {"email": "no address"})
    read = Wish("GET", _LIST, account.host, headers)

    def demote() -> None:
        Member.objects.filter(pk=member.pk).update(role=Role.READ_ONLY)

    def remove() -> None:
        Member.objects.filter(pk=member.pk).delete()

    states = {
        "writer": _expected(write, "400 validation_failed"),
        "reader": _expected(write, "403 permission_denied"),
    }
    yield Change("change a role", "writer", "reader", _square(demote), states)
    there = {"there": _expected(read, "200"), "gone": _expected(read, *_GONE)}
    yield Change("remove a member", "there", "gone", _square(remove), there)


_GONE = ("401 token_invalid", "403 not_a_member")


def _family(estate: Estate, account: Account) -> Change:

    token = estate.token_of(account.owner)
    with square_context():
        family: UUID = RefreshToken.objects.filter(member=account.owner).latest("created_at").family
    wish = Wish("GET", _LIST, account.host, {"Authorization": token})

    def revoke() -> None:
        revoke_family(family=family, now=datetime.now(UTC))

    states = {"signed in": _expected(wish, "200"), "signed out": _expected(wish, *_GONE)}
    return Change("revoke a refresh family", "signed in", "signed out", _square(revoke), states)


def _name(account: Account) -> Change:

    tenant = account.tenant
    before = Tenant.objects.get(pk=tenant.pk).slug
    after = f"{before}x" if not before.endswith("x") else before[:-1]
    tenant.slug = before
    wishes = {
        slug: Wish("GET", _LIST, f"{slug}.plaza.localhost", account.headers)
        for slug in (before, after)
    }

    def change() -> None:
        rename(tenant_id=tenant.pk, slug=after, now=datetime.now(UTC))

    moved = ("404 unknown_host", "421 tenant_moved", "410 tenant_moved", "404 tenant_moved", "308")
    states = {
        "before": _expected(wishes[before], "200"),
        "after": [*_expected(wishes[after], "200"), *_expected(wishes[before], *moved)],
    }
    return Change("rename", "before", "after", _square(change), states)
