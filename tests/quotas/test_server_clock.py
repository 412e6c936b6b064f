import time

from quotas.server_clock import ServerClock


def told(clock: ServerClock, ahead_seconds: float, *, took_seconds: float = 0.001) -> None:
    """An answer that took so long, of a server whose clock is so far ahead of ours."""
    received = time.monotonic()
    sent = received - took_seconds
    clock.learn(int((sent + took_seconds / 2 + ahead_seconds) * 1e6), sent=sent)


def ahead(clock: ServerClock) -> float:
    return round(clock.deadline(sent=0, seconds=0) / 1e6, 1)


def test_before_the_first_answer_no_question_has_an_end():
    assert ServerClock().deadline(sent=time.monotonic(), seconds=1) == 0


def test_the_end_is_told_in_the_servers_time():
    clock = ServerClock()
    told(clock, 5_000)
    sent = time.monotonic()
    end = clock.deadline(sent=sent, seconds=0.04) / 1e6
    assert abs(end - (sent + 5_000.04)) < 0.005


def test_a_slow_answer_teaches_nothing_that_was_not_known_better():
    clock = ServerClock()
    told(clock, 5_000)
    told(clock, 5_000.4, took_seconds=0.9)
    assert ahead(clock) == 5_000


def test_a_stepped_clock_is_learned_even_from_a_slow_answer():
    clock = ServerClock()
    told(clock, 5_000)
    told(clock, 5_002, took_seconds=0.9)
    assert ahead(clock) == 5_002
