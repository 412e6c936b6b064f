"""What every action of `manage.py tenant` shares: whom it means, and how a tenant is told."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from difflib import get_close_matches
from typing import Any, Protocol

from django.core.management.base import CommandError, CommandParser

from billing.models import Subscription
from config.management.output import JsonCommand, shown
from tenants import hosts, services
from tenants.models import Tenant

Options = dict[str, Any]
Handler = Callable[[JsonCommand, Options], None]
Tell = Callable[[str], None]


class Actions(Protocol):
    """argparse's subparsers, which it names only privately."""

    def add_parser(self, name: str, *, help: str) -> CommandParser: ...  # noqa: A002 - argparse's word


class NoSuchTenant(CommandError):
    """Nobody has that slug; the sentence tells the tenant that may be meant."""

    code = "not_found"

    def __init__(self, slug: str) -> None:
        self.facts = {"slug": slug}
        super().__init__(f"There is no tenant {slug!r}.{_meant(slug)}")


def action(actions: Actions, name: str, meaning: str, act: Handler) -> CommandParser:
    """Add `manage.py tenant <name>`; `act(command, options)` does it and reports."""
    parser = actions.add_parser(name, help=meaning)
    parser.set_defaults(act=act)
    return parser


def named(slug: str) -> Tenant:
    """The tenant of that slug. Raises NoSuchTenant."""
    tenant = Tenant.objects.filter(slug=slug).first()
    if tenant is None:
        raise NoSuchTenant(slug)
    return tenant


def _meant(slug: str) -> str:
    moved = hosts.by_former_name(slug) if services.is_slug(slug) else None
    if moved is not None:
        return f" It is called {moved.slug!r} now."
    near = get_close_matches(slug, Tenant.objects.values_list("slug", flat=True), n=1)
    return f" Did you mean {near[0]!r}?" if near else " `tenant list` tells all of them."


def tell(command: JsonCommand, tenant: Tenant, **facts: Any) -> None:
    """One line, or one object, of slug, status, plan, url and whatever else the action has to say."""
    plan = Subscription.objects.filter(tenant=tenant).values_list("plan", flat=True).first()
    line = f"{tenant.slug:<32} {tenant.status:<14} {plan or '-':<12} {services.url_of(tenant)}"
    command.report(
        " ".join([line, *(f"{name}={shown(value)}" for name, value in facts.items())]),
        slug=tenant.slug,
        status=tenant.status,
        plan=plan,
        url=services.url_of(tenant),
        **facts,
    )


@contextmanager
def telling(command: JsonCommand) -> Iterator[Tell]:
    """What long work says of itself: one line that is rewritten on a terminal, lines on a pipe; both on stderr.

    On a terminal it is gone when the work is done: what comes next begins on a line of its own.
    """
    is_terminal = command.stderr.isatty()

    def say(text: str) -> None:
        shown = f"\r\x1b[K{text}" if is_terminal else text
        command.stderr.write(shown, command.style.NOTICE, ending="" if is_terminal else "\n")

    try:
        yield say
    finally:
        if is_terminal:
            say("")
