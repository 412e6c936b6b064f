"""What `make up` tells: which servers are real, where to go, and how to sign in."""

from config.local import names
from config.local.plan import Plan
from config.local.standins import MAIL, PAYPAL, STRIPE, Standin
from config.local.terminal import Terminal

_ROLES = ("owner", "admin", "member", "reader")
_TENANTS = (("acme", "growth"), ("globex", "starter"))
_SERVERS = (
    (names.POSTGRES, "PostgreSQL", "DATABASE_URL"),
    (names.REDIS, "Redis", "REDIS_URL"),
)
_PROVIDERS = (
    (STRIPE, "stripe", "STRIPE_WEBHOOK_SECRET"),
    (PAYPAL, "paypal", "PAYPAL_WEBHOOK_ID"),
    (MAIL, "mail", ""),
)
OPERATOR = "operator@plaza.test"


def tell_choices(plan: Plan, terminal: Terminal) -> None:
    """Tell which servers and providers are ours, and which the environment's."""
    wish = plan.wish
    for service, title, variable in _SERVERS:
        if service in wish.services and wish.names(variable):
            terminal.note(f"{title}: the server that {variable} names, none embedded")
    if names.STANDINS in wish.services:
        for provider in _PROVIDERS:
            _tell_provider(plan, terminal, *provider)


def _tell_provider(
    plan: Plan, terminal: Terminal, standin: Standin, port: str, webhook_variable: str
) -> None:
    if plan.standins is not None and standin in plan.standins.wanted:
        terminal.note(
            f"{standin.name}: stand-in at {plan.standins.address(port)}"
            f" because {standin.asked_by} is not set"
        )
        return
    terminal.note(f"{standin.name}: the real one, because {standin.asked_by} is set")
    if webhook_variable and not plan.wish.names(webhook_variable):
        terminal.warn(f"{webhook_variable} is not set: its webhooks will be refused")


def tell_addresses(plan: Plan, terminal: Terminal, *, seconds: float) -> None:
    """Where everything is. Sign-ins of the demo only outside production."""
    if names.WEB not in plan.wish.services:
        terminal.done(f"Up in {seconds:.1f} s; `manage.py` of this folder uses these servers")
        return
    terminal.line("")
    terminal.done(f"Plaza is up after {seconds:.1f} s. Ctrl-C stops it.")
    terminal.line(f"  Square    {plan.url()}   console {plan.url()}/console/")
    if not plan.is_production:
        for slug, title in _TENANTS:
            terminal.line(f"  {slug:<9} {plan.url(slug)}   plan {title}, API {plan.url(slug)}/docs")
    terminal.line(f"  Logs      {plan.wish.home.logs}")
    if not plan.is_production:
        _tell_sign_ins(plan, terminal)


def _tell_sign_ins(plan: Plan, terminal: Terminal) -> None:
    password = plan.environment()["PLAZA_DEMO_PASSWORD"]
    terminal.line("")
    terminal.line(f"  Sign-ins of the demo, all with the password {password}")
    for slug, _ in _TENANTS:
        people = ", ".join(f"{role}@{slug}.test" for role in _ROLES)
        terminal.line(f"  {slug:<9} {people}")
    terminal.line(f"  Console   {OPERATOR}; its second step tells the code, as a demo has no app")
