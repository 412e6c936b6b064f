"""Whose turn it is: urgent before usual before bulk, and who would wait too long is told so at once."""

import time
from concurrent.futures import ThreadPoolExecutor
from uuid import UUID, uuid4

import pytest

from config.needs import Needs
from quotas import waiting_room as module
from quotas.turns import Turns
from quotas.waiting_room import PATIENCE_SECONDS, QUICK, QUICK_SECONDS, Overloaded, WaitingRoom

USUAL, URGENT = Needs(), Needs(critical=True)
IMPATIENT = {rank: seconds / 10 for rank, seconds in PATIENCE_SECONDS.items()}


def test_the_urgent_goes_before_who_came_earlier_and_bulk_goes_last() -> None:
    room, order = WaitingRoom(places=1), list[str]()
    began = room.enter(USUAL, is_bulk=False)

    def come(name: str, needs: Needs, *, is_bulk: bool) -> None:
        mine = room.enter(needs, is_bulk=is_bulk)
        order.append(name)
        room.leave(mine)

    with ThreadPoolExecutor(3) as pool:
        for number, (name, needs) in enumerate(
            [("bulk", USUAL), ("usual", USUAL), ("urgent", URGENT)], start=1
        ):
            pool.submit(come, name, needs, is_bulk=name == "bulk")
            while room.waiting < number:
                time.sleep(0.001)
        room.leave(began)

    assert order == ["urgent", "usual", "bulk"]
    assert room.enter(USUAL, is_bulk=True).began > 0


def test_a_tenant_with_many_requests_does_not_keep_waiting_who_has_a_single_one() -> None:
    room, order = WaitingRoom(places=2), list[str]()
    loud, quiet = uuid4(), uuid4()
    began = room.enter(USUAL, is_bulk=False, tenant_id=loud)

    def come(name: str, tenant_id: UUID) -> None:
        mine = room.enter(USUAL, is_bulk=False, tenant_id=tenant_id)
        order.append(name)
        room.leave(mine)

    with ThreadPoolExecutor(4) as pool:
        asked = [("loud 1", loud), ("loud 2", loud), ("loud 3", loud), ("quiet", quiet)]
        for number, (name, tenant_id) in enumerate(asked, start=1):
            pool.submit(come, name, tenant_id)
            while room.waiting < number:
                time.sleep(0.001)
        room.leave(began)

    assert order == ["quiet", "loud 1", "loud 2", "loud 3"]


def test_of_tenants_that_always_have_one_waiting_none_overtakes_an_earlier_request_again_and_again():
    turns, loud, quiet = Turns(), uuid4(), [uuid4() for _ in range(3)]
    waiting = [(turns.take(loud), number, loud) for number in range(4)]
    waiting += [(turns.take(tenant), 4 + number, tenant) for number, tenant in enumerate(quiet)]
    served = []
    for number in range(7, 27):
        first = min(waiting)
        waiting.remove(first)
        turns.begin(first[0])
        served.append(first[2])
        if first[2] != loud:
            waiting.append((turns.take(first[2]), number, first[2]))

    assert [at for at, tenant in enumerate(served) if tenant == loud] == [0, 4, 8, 12]
    assert [served.count(tenant) for tenant in quiet] == [6, 5, 5]


def test_a_tenant_keeps_its_turns_however_many_others_come():
    turns, tenants = Turns(), [uuid4() for _ in range(3_000)]
    assert {turns.take(tenant) for tenant in tenants} == {0}
    assert {turns.take(tenant) for tenant in tenants} == {1}
    turns.begin(5)
    assert [turns.take(tenants[0]) for _ in range(2)] == [5, 6]


def test_the_first_requests_of_a_process_find_one_room(monkeypatch: pytest.MonkeyPatch) -> None:
    made = []

    class Slow(WaitingRoom):
        def __init__(self, places: int) -> None:
            time.sleep(0.05)
            super().__init__(places)
            made.append(self)

    monkeypatch.setattr(module, "WaitingRoom", Slow)
    module._made.cache_clear()
    try:
        with ThreadPoolExecutor(8) as pool:
            found = [each.result() for each in [pool.submit(module.waiting_room) for _ in range(8)]]
    finally:
        module._made.cache_clear()

    assert found == made * 8


def test_bulk_never_takes_every_place_and_one_is_kept_for_what_is_urgent() -> None:
    room = WaitingRoom(places=4, patience=IMPATIENT)
    for is_bulk in (True, True, False):
        room.enter(USUAL, is_bulk=is_bulk)
    with ThreadPoolExecutor(3) as pool:
        bulk = pool.submit(room.enter, USUAL, is_bulk=True)
        with pytest.raises(Overloaded):
            bulk.result()
        usual = pool.submit(room.enter, USUAL, is_bulk=False)
        while room.waiting < 1:
            time.sleep(0.001)
        urgent = room.enter(URGENT, is_bulk=False)
        room.leave(urgent)
        assert not usual.done()
        with pytest.raises(Overloaded):
            usual.result()


def test_who_would_wait_longer_than_is_useful_is_refused_at_once_and_bulk_first() -> None:
    now = [0.0]
    room = WaitingRoom(places=1, clock=lambda: now[0])
    began = room.enter(USUAL, is_bulk=False)
    now[0] = 10.0
    room.leave(began)
    now[0] = 20.0
    room.leave(room.enter(USUAL, is_bulk=True))
    bulk = room.enter(USUAL, is_bulk=True)
    now[0] = 30.0
    room.leave(bulk)  # either is expected to take 1 s from now on
    mine = room.enter(USUAL, is_bulk=False)

    with pytest.raises(Overloaded):
        room.enter(USUAL, is_bulk=True)
    assert room.waiting == 0
    with ThreadPoolExecutor(2) as pool:
        waiting = [pool.submit(room.enter, needs, is_bulk=False) for needs in (USUAL, URGENT)]
        while room.waiting < 2:
            time.sleep(0.001)
        room.leave(mine)
        room.leave(waiting[1].result())
    assert [each.result().began for each in waiting] == [30.0, 30.0]


def test_few_begin_at_once_and_who_is_at_work_for_longer_lets_the_next_one_begin() -> None:
    now = [0.0]
    room = WaitingRoom(8, lambda: now[0], dict.fromkeys(PATIENCE_SECONDS, 2.0))
    for _ in range(QUICK):
        room.enter(USUAL, is_bulk=False)
    room.enter(URGENT, is_bulk=False)  # one more, as it is urgent

    with ThreadPoolExecutor(5) as pool:
        others = [pool.submit(room.enter, USUAL, is_bulk=False) for _ in range(5)]
        while room.waiting < 5:
            time.sleep(0.001)
        time.sleep(2 * QUICK_SECONDS)
        assert room.waiting == 5

        now[0] = QUICK_SECONDS  # as if PostgreSQL kept the first ones waiting
        while room.waiting > 2:
            time.sleep(0.001)
        time.sleep(2 * QUICK_SECONDS)
        assert room.waiting == 2  # as many as may have begun anew

    begun = [each.result().began for each in others if each.exception() is None]
    assert begun == [QUICK_SECONDS] * QUICK
    assert {type(each.exception()) for each in others} == {type(None), Overloaded}
    assert room.enter(URGENT, is_bulk=False).began == QUICK_SECONDS
