from concurrent.futures import ThreadPoolExecutor

from config.breaker import PROBE_EVERY_SECONDS, Breaker


class Clock:
    seconds = 1_000.0

    def __call__(self) -> float:
        return self.seconds


def test_one_failure_opens_it_and_that_is_news_once():
    breaker = Breaker(Clock())
    assert [breaker.is_open, breaker.open(), breaker.is_open, breaker.open()] == [
        False, True, True, False,
    ]  # fmt: skip


def test_open_it_lets_one_of_many_threads_a_second_look():
    clock = Clock()
    breaker = Breaker(clock)
    breaker.open()
    for _ in range(3):
        with ThreadPoolExecutor(16) as pool:
            assert not any(pool.map(lambda _: breaker.may_probe(), range(64)))
            clock.seconds += PROBE_EVERY_SECONDS
            assert sum(pool.map(lambda _: breaker.may_probe(), range(64))) == 1


def test_a_failed_look_waits_another_second():
    clock = Clock()
    breaker = Breaker(clock)
    breaker.open()
    clock.seconds += PROBE_EVERY_SECONDS
    assert breaker.may_probe()
    breaker.open()
    clock.seconds += PROBE_EVERY_SECONDS / 2
    assert not breaker.may_probe()


def test_closed_again_its_next_failure_is_news():
    breaker = Breaker(Clock())
    breaker.open()
    breaker.close()
    assert [breaker.is_open, breaker.open()] == [False, True]
