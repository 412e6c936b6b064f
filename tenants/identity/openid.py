"""Sign-in with the platform's OpenID Connect provider: code flow with PKCE, state and nonce, issuer pinned."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import OAuth
from django.conf import settings
from django.http import HttpRequest
from joserfc.errors import JoseError
from requests import RequestException

from config.errors import NotFound, ServiceUnavailable
from config.logs import logger
from tenants.identity.crossing import square_url
from tenants.identity.refusals import OpenIdEmailUnverified, OpenIdRefused

log = logger(__name__)
_CLIENT = "platform"
_TIMEOUT_SECONDS = 10
_LONGEST_SUBJECT = 255  # OpenID Connect Core, section 2
# Asymmetric only: with HS256 our client secret would be a key, with `none` anybody's word would do.
_ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})


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
    with _answering():
        client = _client()
        trip = client.create_authorization_url(square_url("/login/openid/callback"))
        client.save_authorize_data(
            request,
            redirect_uri=square_url("/login/openid/callback"),
            slug=journey.slug,
            proof=journey.proof,
            host=journey.host,
            **trip,
        )
    return str(trip["url"])


def returned(request: HttpRequest) -> tuple[Identity, Journey]:
    """Who came back from the provider, and for which tenant.

    Raises OpenIdRefused for a bad state, code or id_token, OpenIdEmailUnverified, ServiceUnavailable.
    """
    with _answering():
        client = _client()
        kept = client.framework.get_state_data(request.session, request.GET.get("state"))
        options = {
            "iss": {"essential": True, "value": settings.OPENID_ISSUER},
            "aud": {"essential": True, "value": settings.OPENID_CLIENT_ID},
            "nonce": {"essential": True},
        }
        token = client.authorize_access_token(request, claims_options=options)
    # Authlib parses no claims, and says nothing, when the answer holds no id_token.
    claims = token.get("userinfo")
    if not claims or not kept:
        raise OpenIdRefused()
    journey = Journey(slug=kept["slug"], proof=kept["proof"], host=kept.get("host", ""))
    return _identity(claims), journey


def _identity(claims: dict[str, Any]) -> Identity:
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


def _client() -> Any:
    """A fresh client each time: Authlib's registry caches by name and would hand out an older one."""
    if not is_offered():
        raise NotFound()
    client = OAuth().register(
        _CLIENT,
        client_id=settings.OPENID_CLIENT_ID,
        client_secret=settings.OPENID_CLIENT_SECRET,
        server_metadata_url=f"{settings.OPENID_ISSUER.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": _TIMEOUT_SECONDS,
        },
    )
    metadata = client.load_server_metadata()
    if metadata.get("issuer") != settings.OPENID_ISSUER:
        raise OpenIdRefused()
    offered = metadata.get("id_token_signing_alg_values_supported", ["RS256"])
    accepted = sorted(_ALGORITHMS.intersection(offered))
    if not accepted:
        raise OpenIdRefused()
    metadata["id_token_signing_alg_values_supported"] = accepted
    return client


@contextmanager
def _answering() -> Iterator[None]:
    """The library's faults as refusals of ours: the provider's absence, and its no."""
    try:
        yield
    except RequestException as error:
        log.warning("openid.unavailable", extra={"reason": type(error).__name__})
        raise ServiceUnavailable() from error
    except (OAuthError, JoseError, ValueError) as error:
        log.warning("openid.refused", extra={"reason": type(error).__name__})
        raise OpenIdRefused() from error
