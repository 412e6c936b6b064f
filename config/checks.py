"""System checks: what must be true before anything is served."""

from collections.abc import Iterator
from typing import Any

from django.conf import settings
from django.core.checks import CheckMessage, Error, register, run_checks
from django.core.management.base import SystemCheckError
from django.urls import URLPattern, URLResolver, get_resolver

from config.needs import declared_by

# Pages of libraries that carry no tenant data, and the files of the design.
_UNDECLARED = ("static/",)


def routes(urlconf: str) -> Iterator[tuple[str, URLPattern]]:
    """Every (path, pattern) of a URL configuration."""
    yield from _walk(get_resolver(urlconf), "")


def _walk(resolver: URLResolver, prefix: str) -> Iterator[tuple[str, URLPattern]]:
    for entry in resolver.url_patterns:
        path = prefix + str(entry.pattern)
        if isinstance(entry, URLResolver):
            yield from _walk(entry, path)
        else:
            yield path, entry


@register("plaza")
def tenant_routes_declare_needs(**_: Any) -> list[CheckMessage]:
    """A tenant's view that declares nothing would pass the gate unseen: refuse to start."""
    return [
        Error(
            f"The tenant route {path!r} declares no needs.",
            hint="Set `needs = Needs(...)` on the class, or decorate the function with @needs.",
            id="plaza.E001",
        )
        for urlconf in (settings.ROOT_URLCONF, settings.API_URLCONF)
        for path, pattern in routes(urlconf)
        if declared_by(pattern.callback) is None and not path.startswith(_UNDECLARED)
    ]


def refuse_to_start() -> None:
    """For the web server, which runs no checks by itself. Raises SystemCheckError."""
    faults = [message for message in run_checks(tags=["plaza"]) if message.is_serious()]
    if faults:
        raise SystemCheckError("\n".join(map(str, faults)))


@register("plaza", deploy=True)
def production_is_told_its_secrets(**_: Any) -> list[CheckMessage]:
    """In production every provider's webhooks must be verifiable."""
    if not settings.IS_PRODUCTION:
        return []
    return [
        Error(f"{name} is not set.", hint="Webhooks could not be verified.", id="plaza.E002")
        for name in ("STRIPE_WEBHOOK_SECRET", "PAYPAL_WEBHOOK_ID")
        if not getattr(settings, name)
    ]


@register("plaza", deploy=True)
def production_has_a_sign_in_for_each(**_: Any) -> list[CheckMessage]:
    """Who answers requests must not be the owner, whom neither row security nor a schema's rights bind."""
    known = {
        "DATABASE_URL": settings.DATABASE_WEB,
        "DATABASE_SQUARE_URL": settings.DATABASE_SQUARE,
        "DATABASE_OWNER_URL": settings.DATABASE_OWNER,
    }
    names = [given["USER"] for given in known.values() if given is not None]
    if not settings.IS_PRODUCTION or len(set(names)) == len(names):
        return []
    return [
        Error(
            "Tenants are kept apart by our own code alone: one sign-in to PostgreSQL stands for several of"
            f" {', '.join(known)}.",
            hint=(
                "Let each name a role of its own (plaza_web, plaza_square, and the database's owner only"
                " where migrations and the provisioner run); `manage.py database prepare` makes them."
            ),
            id="plaza.E003",
        )
    ]
