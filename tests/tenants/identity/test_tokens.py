"""Access tokens: what we signed for this tenant, in time, for a member who is still one."""

from datetime import UTC, datetime, timedelta

import pytest
from joserfc import jwt

from config.needs import Role
from tenants.identity import tokens
from tenants.identity.access_tokens import read_access
from tenants.identity.refusals import TokenExpired, TokenInvalid
from tenants.identity.signing import signing_key
from tenants.models import Member, Person, RefreshToken
from tests.tenants.identity.forgeries import FORGERIES, ours
from tests.tenants.identity.people import join, program, told

pytestmark = pytest.mark.django_db


def claims_of(access: str) -> dict:
    return jwt.decode(access, signing_key(), algorithms=["ES256"]).claims


def asked(tenant, access: str):
    return program(tenant, f"Bearer {access}").get("/api/v1/me")


@pytest.fixture
def access(owner) -> str:
    return tokens.issue(member=owner, now=datetime.now(UTC)).access


def test_a_token_opens_the_tenant_it_was_made_for(acme, owner, access):
    answer = asked(acme, access)

    assert answer.status_code == 200
    assert answer.json()["email"] == owner.person.email


def test_a_token_says_who_and_for_how_long_and_never_what_one_may(acme, owner, access):
    header = jwt.decode(access, signing_key(), algorithms=["ES256"]).header
    claims = claims_of(access)

    assert header == {"alg": "ES256", "typ": "at+jwt", "kid": signing_key().thumbprint()}
    assert set(claims) == {"iss", "aud", "sub", "member", "sid", "jti", "iat", "exp"}
    assert claims["aud"] == str(acme.pk)
    assert claims["exp"] - claims["iat"] == 900


@pytest.mark.parametrize("kind", FORGERIES)
def test_a_forged_token_is_refused(acme, access, kind):
    forged = FORGERIES[kind](claims_of(access))

    answer = asked(acme, forged)

    assert told(answer) == (401, "token_invalid")
    assert answer["Content-Type"] == "application/problem+json"
    assert answer["WWW-Authenticate"] == 'Bearer realm="plaza", error="invalid_token"'


def test_a_token_of_another_tenant_is_refused_even_for_a_member_of_both(acme, globex, owner):
    from tenants.identity.people import add_member

    elsewhere = add_member(tenant=globex, person=owner.person, role=Role.OWNER)
    access = tokens.issue(member=elsewhere, now=datetime.now(UTC)).access

    assert asked(globex, access).status_code == 200
    assert told(asked(acme, access)) == (401, "token_invalid")


def test_each_of_audience_and_membership_alone_keeps_a_token_at_its_tenant(
    acme, globex, owner, access, now
):
    stranger = join(globex, email="stranger@example.test")
    smuggled = {
        **claims_of(access),
        "sub": str(stranger.person_id),
        "member": str(stranger.pk),
    }

    with pytest.raises(TokenInvalid):
        read_access(access, globex.pk, now)
    assert told(asked(acme, ours(smuggled))) == (401, "token_invalid")


def test_an_expired_token_says_so(acme, owner):
    before = datetime.now(UTC) - timedelta(seconds=901)

    answer = asked(acme, tokens.issue(member=owner, now=before).access)

    assert told(answer) == (401, "token_expired")


def test_a_token_ends_to_the_second(acme, owner, now):
    access = tokens.issue(member=owner, now=now).access

    read_access(access, acme.pk, now + timedelta(seconds=899))
    with pytest.raises(TokenExpired):
        read_access(access, acme.pk, now + timedelta(seconds=901))


def test_the_role_is_the_member_rows_of_this_moment(acme, owner, access):
    Member.objects.filter(pk=owner.pk).update(role=Role.READ_ONLY)

    assert asked(acme, access).json()["role"] == "read_only"


@pytest.mark.parametrize(
    "leave",
    [
        lambda member: member.delete(),
        lambda member: Person.objects.filter(pk=member.person_id).update(is_active=False),
        lambda member: Person.objects.filter(pk=member.person_id).update(kind="operator"),
        lambda member: RefreshToken.objects.filter(member=member).update(
            revoked_at=datetime.now(UTC)
        ),
    ],
    ids=["removed", "deactivated", "made an operator", "signed out"],
)
def test_whoever_is_gone_is_refused_at_once(acme, owner, access, leave):
    leave(owner)

    assert told(asked(acme, access)) == (401, "token_invalid")


def test_a_token_whose_claims_were_ours_but_name_another_member_is_refused(acme, access):
    other = join(acme, email="bob@example.test", role=Role.READ_ONLY)

    assert told(asked(acme, ours({**claims_of(access), "sub": str(other.person_id)}))) == (
        401,
        "token_invalid",
    )


def test_a_request_with_a_token_asks_once_who_it_is(acme, access, django_assert_num_queries):
    from tenants.identity.tokens import member_by_access

    with django_assert_num_queries(1):
        member, _family = member_by_access(token=access, tenant=acme, now=datetime.now(UTC))
        assert member.person.email == "ada@example.test"
