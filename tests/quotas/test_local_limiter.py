from quotas.entitlements import Rate
from quotas.local_limiter import LOCAL_SHARE, LocalLimiter
from quotas.verdicts import Bucket


class Clock:
    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


def bucket(limit: int, name: str = "tenant", cost: int = 1) -> Bucket:
    return Bucket(name, f"key:{name}", Rate(limit, 60), cost)


def admitted(limiter: LocalLimiter, *buckets: Bucket, of: int = 200) -> int:
    return sum(not limiter.take(buckets).refused_by for _ in range(of))


def test_a_process_admits_its_share_of_the_plan_and_no_more():
    limiter = LocalLimiter(Clock())
    assert admitted(limiter, bucket(600)) == 600 // LOCAL_SHARE


def test_all_processes_together_stay_within_the_plan():
    processes = [LocalLimiter(Clock()) for _ in range(LOCAL_SHARE)]
    assert sum(admitted(process, bucket(600)) for process in processes) <= 600


def test_the_share_refills_evenly():
    clock = Clock()
    limiter = LocalLimiter(clock)
    admitted(limiter, bucket(600))
    refused = limiter.take([bucket(600)])
    clock.seconds += refused.retry_seconds
    assert admitted(limiter, bucket(600)) == 1
    clock.seconds += 60
    assert admitted(limiter, bucket(600)) == 75


def test_a_tiny_rate_still_lets_one_through():
    assert admitted(LocalLimiter(Clock()), bucket(3)) == 1


def test_buckets_are_taken_all_or_none():
    limiter = LocalLimiter(Clock())
    wide, narrow = bucket(800), bucket(80, "credential")
    assert admitted(limiter, wide, narrow) == 10
    assert admitted(limiter, wide) == 90


def test_the_refusing_rate_is_named_and_states_are_shown():
    limiter = LocalLimiter(Clock())
    wide, narrow = bucket(800), bucket(8, "credential")
    first, second = limiter.take([wide, narrow]), limiter.take([wide, narrow])
    assert [(state.name, state.remaining) for state in first.rates] == [
        ("tenant", 99),
        ("credential", 0),
    ]
    assert (first.refused_by, second.refused_by) == ("", "credential")
    assert 59 < second.retry_seconds <= 60


def test_a_cost_is_taken_at_once():
    assert admitted(LocalLimiter(Clock()), bucket(800, cost=30)) == 3


def test_what_is_full_again_is_forgotten(monkeypatch):
    clock = Clock()
    limiter = LocalLimiter(clock)
    monkeypatch.setattr(limiter, "_forget_above", 10)
    for number in range(10):
        limiter.take([bucket(600, f"address {number}")])
    clock.seconds += 120
    limiter.take([bucket(600)])
    assert len(limiter._arrivals) == 1
