"""OpenID Connect with any provider: code flow with PKCE, state and nonce, issuer and audience pinned (Authlib)."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from authlib.integrations.base_client import OAuthError
from authlib.integrations.django_client import DjangoOAuth2App, OAuth
from authlib.integrations.requests_client import OAuth2Session
from django.http import HttpRequest
from joserfc.errors import JoseError
from requests import RequestException

from config.errors import ServiceUnavailable
from config.logs import logger
from tenants.identity.refusals import OpenIdRefused
from tenants.outbound.guarded import GuardedAdapter

log = logger(__name__)
_TIMEOUT_SECONDS = 10
# Asymmetric only: with HS256 our client secret would be a key, with `none` anybody's word would do.
_ALGORITHMS = frozenset({"RS256", "PS256", "ES256", "EdDSA", "Ed25519"})


@dataclass(frozen=True, slots=True)
class Provider:
    """One provider and our account there. `name` keeps the states of several apart.

    `is_guarded`: its address was given by a tenant, so everything is fetched as tenants/outbound/guarded.py does.
    """

    name: str
    issuer: str
    client_id: str
    client_secret: str = field(repr=False)
    callback: str
    is_guarded: bool = False


class _GuardedSession(OAuth2Session):  # type: ignore[misc]
    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self.trust_env = False
        for scheme in ("https://", "http://"):
            self.mount(scheme, GuardedAdapter())


class _GuardedApp(DjangoOAuth2App):  # type: ignore[misc]
    client_cls = _GuardedSession


def departure(request: HttpRequest, provider: Provider, **kept: str) -> str:
    """The provider's address to send the browser to; `kept` comes back with `returned`.

    Raises OpenIdRefused where it is no provider that we can believe, ServiceUnavailable.
    """
    with _answering():
        client = _client(provider)
        trip = client.create_authorization_url(provider.callback)
        client.save_authorize_data(request, redirect_uri=provider.callback, **kept, **trip)
    return str(trip["url"])


def returned(request: HttpRequest, provider: Provider) -> tuple[dict[str, Any], dict[str, Any]]:
    """The claims of whoever came back, and what was kept at their departure.

    Raises OpenIdRefused for a bad state, code or id_token, ServiceUnavailable.
    """
    if request.GET.get("iss", provider.issuer) != provider.issuer:
        raise OpenIdRefused()  # RFC 9207: the answer is another provider's
    with _answering():
        client = _client(provider)
        kept = client.framework.get_state_data(request.session, request.GET.get("state"))
        options = {
            "iss": {"essential": True, "value": provider.issuer},
            "aud": {"essential": True, "value": provider.client_id},
            "nonce": {"essential": True},
        }
        token = client.authorize_access_token(request, claims_options=options)
    # Authlib parses no claims, and says nothing, when the answer holds no id_token.
    claims = token.get("userinfo")
    if not claims or not kept:
        raise OpenIdRefused()
    return dict(claims), dict(kept)


def check(provider: Provider) -> None:
    """Ask the provider who it is, as a departure does. Raises OpenIdRefused, ServiceUnavailable."""
    with _answering():
        _client(provider)


def _client(provider: Provider) -> Any:
    """A fresh client each time: Authlib's registry caches by name and would hand out an older one."""
    client = OAuth().register(
        provider.name,
        client_cls=_GuardedApp if provider.is_guarded else None,
        client_id=provider.client_id,
        client_secret=provider.client_secret,
        server_metadata_url=f"{provider.issuer.rstrip('/')}/.well-known/openid-configuration",
        client_kwargs={
            "scope": "openid email profile",
            "code_challenge_method": "S256",
            "default_timeout": _TIMEOUT_SECONDS,
        },
    )
    metadata = client.load_server_metadata()
    if metadata.get("issuer") != provider.issuer:
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
