"""Sign-in by password: one answer whatever is wrong, and not many answers a minute."""

import statistics
import time

import pytest

from config.needs import Role
from tenants.identity.people import create_person
from tenants.models import Member, Person
from tests.tenants.identity.people import PASSWORD, join, program, sign_in, told

pytestmark = pytest.mark.django_db


def test_a_member_gets_a_pair_that_works(acme, owner):
    answer = sign_in(acme, owner.person.email)
    pair = answer.json()

    assert answer.status_code == 200
    assert set(pair) == {"access", "refresh", "token_type", "expires_in"}
    assert (pair["token_type"], pair["expires_in"]) == ("Bearer", 900)
    assert program(acme, f"Bearer {pair['access']}").get("/api/v1/me").status_code == 200


def test_the_older_name_answers_access_token_too(acme, owner):
    pair = sign_in(acme, owner.person.email, path="login").json()

    assert pair["access_token"] == pair["access"]


def test_an_e_mail_is_read_in_any_case(acme, owner):
    assert sign_in(acme, " ADA@Example.test ").status_code == 200


@pytest.fixture
def refused(acme, globex, owner) -> dict[str, tuple[str, str]]:
    """E-mail and password of everybody who may not enter acme."""
    join(globex, email="stranger@example.test")
    create_person(email="operator@example.test", password=PASSWORD, kind="operator")
    create_person(email="nowhere@example.test", password=PASSWORD)
    asleep = join(acme, email="asleep@example.test")
    Person.objects.filter(pk=asleep.person_id).update(is_active=False)
    Member.objects.create(
        tenant=acme, person=Person.objects.create(email="nopassword@example.test"), role="owner"
    )
    smuggled = create_person(email="smuggled@example.test", password=PASSWORD, kind="operator")
    Member.objects.create(tenant=acme, person=smuggled, role=Role.OWNER)
    return {
        "a wrong password": (owner.person.email, "wrong-horse-battery"),
        "an unknown e-mail": ("nobody@example.test", PASSWORD),
        "a member of another tenant": ("stranger@example.test", PASSWORD),
        "a member of no tenant": ("nowhere@example.test", PASSWORD),
        "an operator": ("operator@example.test", PASSWORD),
        "an operator with a member's row": ("smuggled@example.test", PASSWORD),
        "a deactivated person": ("asleep@example.test", PASSWORD),
        "a person without a password": ("nopassword@example.test", PASSWORD),
        "another case of the password": (owner.person.email, PASSWORD.upper()),
        "the password with a space": (owner.person.email, f" {PASSWORD}"),
    }


def test_whoever_may_not_enter_gets_one_and_the_same_answer(acme, refused):
    answers = {who: sign_in(acme, *credentials) for who, credentials in refused.items()}

    told_each = {
        who: {**answer.json(), "request_id": "", "status": answer.status_code}
        for who, answer in answers.items()
    }
    assert set(map(str, told_each.values())) == {str(told_each["a wrong password"])}
    assert told(answers["an unknown e-mail"]) == (401, "invalid_credentials")
    assert len({answer["WWW-Authenticate"] for answer in answers.values()}) == 1


def test_the_time_of_a_refusal_does_not_tell_who_exists(acme, real_hashes, owner):
    from tenants.identity.passwords import member_by_password
    from tenants.identity.refusals import InvalidCredentials

    def seconds(email: str) -> float:
        started = time.perf_counter()
        with pytest.raises(InvalidCredentials):
            member_by_password(tenant=acme, email=email, password="wrong-horse-battery")
        return time.perf_counter() - started

    emails = (owner.person.email, "nobody@example.test")
    known, unknown = map(
        statistics.median,
        zip(*([seconds(email) for email in emails] for _ in range(5)), strict=True),
    )

    # Without the second hash an unknown e-mail would take a twentieth of the time.
    assert 0.25 < known / unknown < 4


@pytest.mark.parametrize(
    ("wish", "field"),
    [
        ({"email": "ada@example.test"}, "password"),
        ({"password": PASSWORD}, "email"),
        ({"email": "ada", "password": PASSWORD}, "email"),
        ({"email": "ada@example.test", "password": "x" * 1025}, "password"),
        ({"email": "ada@example.test", "password": "a\x00b"}, "password"),
        ({"email": ["ada@example.test"], "password": PASSWORD}, "email"),
        ({"email": {"$ne": ""}, "password": PASSWORD}, "email"),
    ],
)
def test_what_is_no_e_mail_and_password_is_400(acme, wish, field):
    answer = program(acme).post("/api/v1/auth/token", wish, content_type="application/json")

    assert told(answer) == (400, "validation_failed")
    assert list(answer.json()["errors"]) == [field]


def test_the_eleventh_guess_at_an_account_in_a_minute_is_429_on_all_hosts_together(
    acme, globex, owner, still_clock
):
    guesses = [sign_in(acme, owner.person.email, "wrong").status_code for _ in range(5)]
    guesses += [sign_in(globex, owner.person.email.upper(), "wrong").status_code for _ in range(5)]

    right = sign_in(acme, owner.person.email)

    assert guesses == [401] * 10
    assert told(right) == (429, "rate_limited")
    assert 1 <= int(right["Retry-After"]) <= 60
    assert sign_in(acme, "bob@example.test", "wrong").status_code == 401


def test_an_unknown_account_is_limited_like_a_known_one(acme, still_clock):
    statuses = [sign_in(acme, "nobody@example.test", "wrong").status_code for _ in range(11)]

    assert statuses == [401] * 10 + [429]


def test_the_sixty_first_guess_from_an_address_in_a_minute_is_429(acme, still_clock):
    statuses = [sign_in(acme, f"a{index}@example.test", "x").status_code for index in range(61)]

    assert statuses == [401] * 60 + [429]
