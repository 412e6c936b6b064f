"""Signing keys: published, changed without a refused token, and none accepted under another's name."""

import io
import json
from datetime import UTC, datetime

import pytest
from django.conf import settings as present
from django.core.exceptions import ImproperlyConfigured
from django.core.management import call_command
from django.test import Client
from joserfc import jwt
from joserfc.jwk import ECKey, KeySet

from tenants.identity import signing, tokens
from tenants.snapshots import snapshots
from tests.tenants.identity.forgeries import THIEF, THIEF_384, by
from tests.tenants.identity.people import program, told

pytestmark = pytest.mark.django_db


def new_key() -> tuple[str, str]:
    """A key's id and PEM, as the command gives them."""
    out = io.StringIO()
    call_command("signing_keys", "new", "--json", stdout=out)
    [made] = json.loads(out.getvalue())["results"]
    return made["kid"], made["key"].replace("\\n", "\n")


def key_set():
    return Client(headers={"Host": present.PLAZA_DOMAIN}).get("/.well-known/jwks.json")


def use(settings, keys: tuple[str, str]) -> None:
    """As a restart does: what the process had proved is forgotten."""
    settings.TOKEN_SIGNING_KEY, settings.TOKEN_OTHER_KEYS = keys
    snapshots.clear()


def test_whoever_has_the_published_keys_alone_can_check_a_token(owner):
    answer = key_set()
    access = tokens.issue(member=owner, now=datetime.now(UTC)).access

    [key] = answer.json()["keys"]
    read = jwt.decode(access, KeySet.import_key_set(answer.json()), algorithms=["ES256"])

    assert set(key) == {"kty", "crv", "x", "y", "kid", "use", "alg"}  # and no `d`
    assert key["kid"] == read.header["kid"] == signing.signing_key().thumbprint()
    assert read.claims["sub"] == str(owner.person_id)
    assert answer["Cache-Control"] == "public, max-age=300"


def test_a_change_of_keys_refuses_no_token_on_the_way_and_the_former_keys_afterwards(
    acme, owner, settings
):
    former = settings.TOKEN_SIGNING_KEY
    former_id = signing.signing_key().thumbprint()
    next_id, following = new_key()
    steps = [
        ((former, ""), [former_id]),
        ((former, following), [former_id, next_id]),
        ((following, former), [next_id, former_id]),
        ((following, ""), [next_id]),
    ]
    made, seen = [], []
    for step, (keys, names) in enumerate(steps):
        use(settings, keys)
        assert [key["kid"] for key in key_set().json()["keys"]] == names
        made.append(tokens.issue(member=owner, now=datetime.now(UTC)).access)
        # Processes restart one after another: those that are a step behind get the new ones' tokens.
        for behind in (step, max(0, step - 1)):
            use(settings, steps[behind][0])
            answer = program(acme, f"Bearer {made[step]}").get("/api/v1/me")
            seen.append(answer.status_code)
    use(settings, steps[-1][0])

    assert seen == [200] * 8
    stale = [told(program(acme, f"Bearer {made[step]}").get("/api/v1/me")) for step in (0, 1)]
    assert stale == [(401, "token_invalid")] * 2


def test_a_key_signs_under_its_own_name_alone(acme, owner, settings):
    other_id, other = new_key()
    settings.TOKEN_OTHER_KEYS = other
    good = tokens.issue(member=owner, now=datetime.now(UTC)).access
    claims = jwt.decode(good, signing.signing_key(), algorithms=["ES256"]).claims
    us, them = signing.signing_key(), ECKey.import_key(other)
    forged = {
        "ours under the other's": by(us, claims, kid=other_id),
        "the other's under ours": by(them, claims, kid=us.thumbprint()),
        "a thief's under the other's": by(THIEF, claims, kid=other_id),
        "a thief's brought along under the other's": by(
            THIEF, claims, kid=other_id, jwk=THIEF.as_dict(private=False)
        ),
    }

    answers = {
        name: told(program(acme, f"Bearer {token}").get("/api/v1/me"))
        for name, token in forged.items()
    }

    assert answers == dict.fromkeys(forged, (401, "token_invalid"))
    rightly = program(acme, f"Bearer {by(them, claims, kid=other_id)}")
    assert rightly.get("/api/v1/me").status_code == 200


def test_bad_keys_stop_the_start_by_name(settings):
    for bad in ("rubbish", "-----BEGIN rubbish", THIEF_384.as_pem(private=True).decode()):
        settings.TOKEN_OTHER_KEYS = bad
        with pytest.raises(ImproperlyConfigured, match="TOKEN_OTHER_KEYS"):
            signing.signing_key()
    settings.TOKEN_OTHER_KEYS = ""
    settings.TOKEN_SIGNING_KEY = THIEF.as_pem(private=False).decode()
    with pytest.raises(ImproperlyConfigured, match="TOKEN_SIGNING_KEY must be a private key"):
        signing.signing_key()
