"""Refresh tokens: used once, kept as hashes, and ended as a family when one comes twice."""

from datetime import timedelta

import pytest

from tenants.identity import tokens
from tenants.identity.refusals import TokenInvalid
from tenants.models import Person, RefreshToken
from tests.tenants.identity.people import program, sign_in, told

pytestmark = pytest.mark.django_db


def asked(tenant, access: str):
    return program(tenant, f"Bearer {access}").get("/api/v1/me")


def refreshed(tenant, refresh: str, **headers: str):
    return program(tenant).post(
        "/api/v1/auth/refresh",
        {"refresh": refresh},
        content_type="application/json",
        headers=headers,
    )


def test_a_refresh_token_gives_a_new_pair_and_is_kept_as_a_hash(acme, owner, now):
    first = tokens.issue(member=owner, now=now)

    answer = refreshed(acme, first.refresh)

    assert answer.status_code == 200
    assert set(answer.json()) == {"access", "refresh", "token_type", "expires_in"}
    assert answer.json()["refresh"] != first.refresh
    assert asked(acme, answer.json()["access"]).status_code == 200
    assert not RefreshToken.objects.filter(token_hash=first.refresh).exists()


def test_a_used_refresh_token_that_comes_again_ends_its_whole_family(acme, owner, now):
    first = tokens.issue(member=owner, now=now)
    elsewhere = tokens.issue(member=owner, now=now)
    second = refreshed(acme, first.refresh).json()

    replay = refreshed(acme, first.refresh)

    assert told(replay) == (401, "token_invalid")
    assert told(refreshed(acme, second["refresh"])) == (401, "token_invalid")
    assert told(asked(acme, second["access"])) == (401, "token_invalid")
    assert told(asked(acme, first.access)) == (401, "token_invalid")
    assert refreshed(acme, elsewhere.refresh).status_code == 200


def test_the_service_itself_ends_the_family_of_a_replay(acme, owner, now):
    first = tokens.issue(member=owner, now=now)
    second = tokens.rotate(refresh=first.refresh, tenant=acme, now=now)

    with pytest.raises(tokens.RefreshTokenReused):
        tokens.rotate(refresh=first.refresh, tenant=acme, now=now)

    with pytest.raises(TokenInvalid):
        tokens.rotate(refresh=second.refresh, tenant=acme, now=now)


def test_an_idempotency_key_does_not_save_a_replayed_family(acme, owner, now):
    first = tokens.issue(member=owner, now=now)
    second = refreshed(acme, first.refresh).json()

    replay = refreshed(acme, first.refresh, **{"Idempotency-Key": "thief-1"})

    assert told(replay) == (401, "token_invalid")
    assert told(refreshed(acme, second["refresh"])) == (401, "token_invalid")


def test_a_lost_answer_is_given_again_under_its_idempotency_key(acme, owner, now):
    first = tokens.issue(member=owner, now=now)

    once = refreshed(acme, first.refresh, **{"Idempotency-Key": "retry-0001"})
    twice = refreshed(acme, first.refresh, **{"Idempotency-Key": "retry-0001"})

    assert once.status_code == twice.status_code == 200
    assert once.content == twice.content
    assert refreshed(acme, once.json()["refresh"]).status_code == 200


def test_a_row_that_a_racing_rotation_left_behind_is_dead_with_its_family(acme, owner, now):
    pair = tokens.issue(member=owner, now=now)
    row = RefreshToken.objects.get(member=owner)
    RefreshToken.objects.create(
        member=owner, family=row.family, token_hash="0" * 64, expires_at=now, revoked_at=now
    )

    with pytest.raises(TokenInvalid):
        tokens.rotate(refresh=pair.refresh, tenant=acme, now=now)


def test_a_refresh_token_of_another_tenant_is_unknown_and_stays_unused(acme, globex, owner, now):
    pair = tokens.issue(member=owner, now=now)

    assert told(refreshed(globex, pair.refresh)) == (401, "token_invalid")
    assert refreshed(acme, pair.refresh).status_code == 200


def test_an_expired_refresh_token_says_so(acme, owner, now):
    pair = tokens.issue(member=owner, now=now - timedelta(days=31))

    assert told(refreshed(acme, pair.refresh)) == (401, "token_expired")


def test_a_deactivated_person_refreshes_nothing(acme, owner, now):
    pair = tokens.issue(member=owner, now=now)
    Person.objects.filter(pk=owner.person_id).update(is_active=False)

    assert told(refreshed(acme, pair.refresh)) == (401, "token_invalid")


def test_long_expired_tokens_are_forgotten_at_the_next_sign_in(acme, owner, now):
    tokens.issue(member=owner, now=now - timedelta(days=61))
    tokens.issue(member=owner, now=now - timedelta(days=31))

    tokens.issue(member=owner, now=now)

    assert RefreshToken.objects.filter(member=owner).count() == 2


def test_signing_out_by_access_token_ends_both_tokens(acme, owner):
    pair = sign_in(acme, owner.person.email).json()

    out = program(acme, f"Bearer {pair['access']}").post(
        "/api/v1/auth/logout", {}, content_type="application/json"
    )

    assert out.status_code == 204
    assert told(asked(acme, pair["access"])) == (401, "token_invalid")
    assert told(refreshed(acme, pair["refresh"])) == (401, "token_invalid")


def test_signing_out_by_refresh_token_alone_works_and_tells_nothing_of_others(acme, globex, owner):
    pair = sign_in(acme, owner.person.email).json()

    def out(tenant, refresh):
        return program(tenant).post(
            "/api/v1/auth/logout", {"refresh": refresh}, content_type="application/json"
        )

    assert out(globex, pair["refresh"]).status_code == 204
    assert asked(acme, pair["access"]).status_code == 200
    assert out(acme, pair["refresh"]).status_code == 204
    assert told(asked(acme, pair["access"])) == (401, "token_invalid")


def test_signing_out_as_nobody_is_401(acme):
    answer = program(acme).post("/api/v1/auth/logout", {}, content_type="application/json")

    assert told(answer) == (401, "credentials_missing")
