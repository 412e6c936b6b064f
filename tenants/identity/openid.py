"""Sign-in with the platform's OpenID Connect provider."""

from dataclasses import dataclass
from typing import Any

from django.conf import settings
from django.http import HttpRequest

from config.errors import NotFound
from tenants.identity import openid_client
from tenants.identity.crossing import square_url
from tenants.identity.openid_client import Provider
from tenants.identity.refusals import OpenIdEmailUnverified, OpenIdRefused

_LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2


@dataclass(frozen=True, slots=True)
class Journey:
    """Where a sign-in came from: the tenant's slug, the proof of its browser, and the host it began at."""

    slug: str
    proof: str
    host: str = ""


@dataclass(frozen=True, slots=True)
class Identity:
    """What the provider vouches for. `email` is verified by it and serves for the first link only."""

    issuer: str
    subject: str
    email: str


def is_offered() -> bool:
    """Whether a provider is set: pages show the button by it."""
    return bool(settings.OPENID_ISSUER and settings.OPENID_CLIENT_ID)


def departure(request: HttpRequest, journey: Journey) -> str:
    """The provider's address to send the browser to. Raises NotFound when no provider is set."""
    kept = {"slug": journey.slug, "proof": journey.proof, "host": journey.host}
    return openid_client.departure(request, _platform(), **kept)


def returned(request: HttpRequest) -> tuple[Identity, Journey]:
    """Who came back from the provider, and for which tenant.

    Raises OpenIdRefused for a bad state, code or id_token, OpenIdEmailUnverified, ServiceUnavailable.
    """
    claims, kept = openid_client.returned(request, _platform())
    journey = Journey(slug=kept["slug"], proof=kept["proof"], host=kept.get("host", ""))
    return identity_of(claims), journey


def _platform() -> Provider:
    if not is_offered():
        raise NotFound()
    return Provider(
        name="platform",
        issuer=settings.OPENID_ISSUER,
        client_id=settings.OPENID_CLIENT_ID,
        client_secret=settings.OPENID_CLIENT_SECRET,
        callback=square_url("/login/openid/callback"),
    )


def identity_of(claims: dict[str, Any]) -> Identity:
    """Who the claims of a checked id_token are about. Raises OpenIdRefused, OpenIdEmailUnverified."""
    subject = claims.get("sub")
    if not isinstance(subject, str) or not 0 < len(subject) <= _LONGEST_SUBJECT:
        raise OpenIdRefused()
    if claims.get("email_verified") is not True or not claims.get("email"):
        raise OpenIdEmailUnverified()
    return Identity(
        issuer=str(claims["iss"]),
        subject=subject,
        email=str(claims["email"]).strip().lower(),
    )
