"""Second factors: a code is asked for and taken once, secrets are sealed, and a tenant may ask for one."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from django.core.management import CommandError, call_command
from django.db import connection
from django.utils import timezone

from config.needs import Role
from tenants.identity import second_factor, tokens
from tenants.identity.access_tokens import read_access
from tenants.identity.people import add_member
from tenants.identity.refusals import SecondFactorInvalid
from tenants.models import Authenticator, RecoveryCode
from tests.tenants.identity.factors import asked, code, equipped, posted, with_code
from tests.tenants.identity.people import PASSWORD, join, sign_in, told

pytestmark = pytest.mark.django_db


def test_an_app_is_set_up_by_password_and_code_and_then_asked_for_at_every_tenant(
    acme, globex, owner
):
    email = owner.person.email
    add_member(tenant=globex, person=owner.person, role=Role.MEMBER)
    me = asked(acme, sign_in(acme, email).json()["access"])

    refused = posted(me, "second-factor/totp", present_password="wrong")
    early = posted(me, "second-factor/totp/confirm", otp="123456")
    begun = posted(me, "second-factor/totp", present_password=PASSWORD)
    assert [told(refused), told(early)] == [
        (403, "wrong_password"),
        (409, "second_factor_not_set_up"),
    ]
    assert (begun.status_code, begun["Cache-Control"]) == (201, "no-store")
    secret = begun.json()["secret"]
    assert begun.json()["uri"] == (
        f"otpauth://totp/Plaza%3Aada%40example.test?secret={secret}&issuer=Plaza"
    )
    # Until it is confirmed nothing asks for it; what is kept is sealed.
    assert sign_in(acme, email).status_code == 200
    assert secret.encode() not in bytes(Authenticator.objects.get().sealed_secret)
    assert told(posted(me, "second-factor/totp/confirm", otp="000000")) == (
        401,
        "second_factor_invalid",
    )
    first = code(owner.person)
    confirmed = posted(me, "second-factor/totp/confirm", otp=f"{first[:3]} {first[3:]}")
    codes = confirmed.json()["recovery_codes"]
    assert (confirmed.status_code, len(set(codes))) == (200, 10)
    assert all(re.fullmatch(r"([A-Z2-7]{4}-){3}[A-Z2-7]{4}", each) for each in codes)
    assert not {each.replace("-", "") for each in codes} & set(
        RecoveryCode.objects.values_list("code_hash", flat=True)
    )
    assert told(posted(me, "second-factor/totp", present_password=PASSWORD)) == (
        409,
        "second_factor_known",
    )
    for tenant in (acme, globex):
        assert told(sign_in(tenant, email)) == (401, "second_factor_needed")
    # The password comes first: without it nobody learns that there is a second factor.
    assert told(sign_in(acme, email, "wrong")) == (401, "invalid_credentials")
    state = me.get("/api/v1/me/second-factor").json()
    assert state == {
        "is_set_up": True,
        "is_required": False,
        "is_proved": False,
        "recovery_codes_left": 10,
    }


def test_a_code_comes_in_once_and_only_in_its_time(acme, owner):
    email, person = owner.person.email, owner.person
    equipped(person)
    now = timezone.now()
    late = second_factor.code_now(person=person, now=now - timedelta(minutes=2))
    soon = second_factor.code_now(person=person, now=now + timedelta(minutes=2))
    right = code(person)

    assert told(with_code(acme, email, late)) == (401, "second_factor_invalid")
    assert told(with_code(acme, email, soon)) == (401, "second_factor_invalid")
    answer = with_code(acme, email, right)
    again = with_code(acme, email, right)

    assert (answer.status_code, told(again)) == (200, (401, "second_factor_invalid"))
    pair = answer.json()
    assert read_access(pair["access"], acme.pk, timezone.now()).has_second_factor
    assert asked(acme, pair["access"]).get("/api/v1/me/second-factor").json()["is_proved"]
    # What was proved goes on with the family.
    newer = tokens.rotate(refresh=pair["refresh"], tenant=acme, now=timezone.now())
    assert read_access(newer.access, acme.pk, timezone.now()).has_second_factor


@pytest.mark.django_db(transaction=True)
def test_of_eight_who_show_one_code_at_once_one_comes_in(acme, owner):
    person, now = owner.person, timezone.now()
    (spare, *_) = equipped(person)
    right = second_factor.code_now(person=person, now=now)

    def shown(typed: str) -> bool:
        try:
            second_factor.prove(person=person, code=typed, now=now)
        except SecondFactorInvalid:
            return False
        finally:
            connection.close()
        return True

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(shown, [right] * 8)) == 1
        assert sum(pool.map(shown, [spare] * 8)) == 1


def test_a_recovery_code_comes_in_once_and_new_ones_replace_the_old(acme, owner):
    email, person = owner.person.email, owner.person
    codes = equipped(person)
    bob = join(acme, email="bob@example.test")
    bobs = equipped(bob.person)

    assert told(with_code(acme, email, bobs[0])) == (401, "second_factor_invalid")
    answer = with_code(acme, email, codes[0].lower())
    me = asked(acme, answer.json()["access"])
    renewed = posted(me, "second-factor/recovery-codes", otp=codes[1]).json()["recovery_codes"]
    assert told(with_code(acme, email, codes[2])) == (401, "second_factor_invalid")
    removed = posted(me, "second-factor/remove", present_password=PASSWORD, otp=renewed[0])
    assert removed.status_code == 204
    assert sign_in(acme, email).status_code == 200
    assert second_factor.recovery_codes_left(bob.person) == 10


def test_codes_are_guessed_five_times_a_minute_on_all_hosts_together(
    acme, globex, owner, still_clock
):
    add_member(tenant=globex, person=owner.person, role=Role.MEMBER)
    codes = equipped(owner.person)
    guesses = [with_code(acme, owner.person.email, "000000").status_code for _ in range(3)]
    guesses += [with_code(globex, owner.person.email, "000000").status_code for _ in range(2)]

    assert guesses == [401] * 5
    assert told(with_code(acme, owner.person.email, codes[0])) == (429, "rate_limited")


def test_who_lost_app_and_codes_is_helped_by_a_command_that_ends_their_sign_ins(acme, owner):
    equipped(owner.person)
    pair = tokens.issue(member=owner, now=timezone.now(), has_second_factor=True)

    call_command(
        "second_factor", "reset", "Ada@example.test", "--reason", "phone lost, called back"
    )

    assert told(asked(acme, pair.access).get("/api/v1/me")) == (401, "token_invalid")
    assert sign_in(acme, owner.person.email).status_code == 200
    assert (Authenticator.objects.count(), RecoveryCode.objects.count()) == (0, 0)
    for email in ("ada@example.test", "nobody@example.test"):
        with pytest.raises(CommandError):
            call_command("second_factor", "reset", email, "--reason", "x")
