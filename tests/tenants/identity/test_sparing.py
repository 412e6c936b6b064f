"""Guesses at passwords: few hashes at once, behind the requests of others, and a short queue."""

import os
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.contrib.auth.hashers import check_password, make_password
from django.db import connection

from billing import signup
from config.errors import ServiceUnavailable
from tenants.identity import sparing
from tests.billing.test_signup import wish

PLENTY = 30


@pytest.fixture(autouse=True)
def _present_hashes(real_hashes):
    pass


def test_of_many_guesses_at_once_a_few_are_hashed_and_the_rest_sent_away(settings):
    settings.PASSWORD_HASHES_AT_ONCE = 2
    encoded = make_password("correct-horse-battery")
    begin = threading.Barrier(PLENTY)

    def guess(_index: int) -> str:
        begin.wait()
        try:
            return "right" if check_password("correct-horse-battery", encoded) else "wrong"
        except ServiceUnavailable:
            return "sent away"

    with ThreadPoolExecutor(PLENTY) as pool:
        answers = list(pool.map(guess, range(PLENTY)))

    assert set(answers) == {"right", "sent away"}
    # The queue is free again afterwards.
    assert check_password("wrong-horse-battery", encoded) is False


def test_hashes_run_behind_the_threads_that_answer_requests():
    def niceness() -> int:
        return os.getpriority(os.PRIO_PROCESS, threading.get_native_id())

    assert (niceness(), sparing._spared(niceness)) == (os.getpriority(os.PRIO_PROCESS, 0), 12)


def test_a_hash_of_other_parameters_is_good_and_is_replaced():
    older = sparing.SparingArgon2()
    older.memory_cost, older.time_cost = 64, 1
    encoded = older.encode("correct-horse-battery", "a-salt-of-some-length")
    replaced: list[str] = []

    assert check_password("correct-horse-battery", encoded, setter=replaced.append)
    assert replaced == ["correct-horse-battery"]
    present = make_password("correct-horse-battery")
    assert check_password("correct-horse-battery", present, setter=replaced.append)
    assert len(replaced) == 1


@pytest.mark.django_db(transaction=True)
def test_a_sign_up_hashes_before_its_transaction(monkeypatch, now):
    seen: list[bool] = []
    whole = sparing._spared

    def watched(work):
        seen.append(connection.in_atomic_block)
        return whole(work)

    monkeypatch.setattr(sparing, "_spared", watched)
    signup.reserve(application=signup.Application(**wish()), now=now)

    assert seen == [False]
