"""The hashes of production, and a clock that stands still where a test is not about time."""

from collections.abc import Iterator
from types import SimpleNamespace

import pytest
from oidc_provider_mock import User, run_server_in_thread

from tenants.models import Member
from tests.tenants.identity.journeys import SUBJECT
from tests.tenants.identity.people import join


@pytest.fixture
def real_hashes(settings):
    """The hashes of production."""
    settings.PASSWORD_HASHERS = ["tenants.identity.sparing.SparingArgon2"]


@pytest.fixture
def still_clock(monkeypatch):
    """django-ratelimit's windows end by the wall clock: no window may end in the middle of a test."""
    monkeypatch.setattr("django_ratelimit.core.time", SimpleNamespace(time=lambda: 1_800_000_000.0))


@pytest.fixture
def owner(acme) -> Member:
    """Ada, who owns acme."""
    return join(acme)


@pytest.fixture(scope="session")
def issuer() -> Iterator[str]:
    """A provider that runs, and knows Ada and some doubtful people."""
    people = [
        User(sub=SUBJECT, claims={"email": "ada@example.test", "email_verified": True}),
        User(sub="unverified", claims={"email": "ada@example.test", "email_verified": False}),
        User(sub="silent", claims={"email": "ada@example.test"}),
        User(sub="worded", claims={"email": "ada@example.test", "email_verified": "true"}),
        User(sub="nameless", claims={"email_verified": True}),
        User(sub="stranger", claims={"email": "stranger@example.test", "email_verified": True}),
    ]
    with run_server_in_thread(user_claims=people, require_nonce=True) as server:
        yield f"http://localhost:{server.server_port}"


@pytest.fixture
def openid(db, settings, issuer) -> None:
    """The platform signs people in with that provider; tenants have pages to come to."""
    settings.ROOT_URLCONF = "tests.tenants.identity.pages"
    settings.OPENID_ISSUER = issuer
    settings.OPENID_CLIENT_ID, settings.OPENID_CLIENT_SECRET = "plaza", "secret"
