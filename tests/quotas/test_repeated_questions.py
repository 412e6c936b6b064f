"""Questions that are sent again, since their answer was lost."""

from config.ids import new_id
from quotas.counters import Beginning, Counters, calls_key
from quotas.verdicts import Lease
from tests.quotas.counting import NOVEMBER, bucket, calls, take


def test_a_question_whose_answer_was_lost_counts_once_also_at_the_last_of_everything(
    counters: Counters,
) -> None:
    tenant_id = new_id()
    lease = Lease("asked twice", 60, most=1)
    asked = calls(tenant_id, 3, limit=3)
    begin = Beginning("now", 0)
    first, second = (
        take(counters, [bucket(tenant_id, 2, cost=2)], asked, begin, lease=lease) for _ in range(2)
    )
    told = [(v.refused_by, v.is_exhausted, v.calls_used, v.epoch) for v in (first, second)]
    assert told == [("", False, 3, "now")] * 2
    assert [v.rates[0].remaining for v in (first, second)] == [0, 0]
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 0, 0, 3)]
    other = Lease("another", 60, most=2)
    assert take(counters, [bucket(tenant_id, 2)], calls(tenant_id, 0), lease=other).refused_by


def test_a_question_that_is_sent_again_after_the_counters_were_lost_reserves_anew(
    counters: Counters,
) -> None:
    tenant_id = new_id()
    lease, asked = Lease("asked twice", 60), calls(tenant_id, 3)
    take(counters, [], asked, Beginning("before", 0), lease=lease)
    counters.server.ask(lambda server: server.delete(calls_key(tenant_id, NOVEMBER)))

    again = take(counters, [], asked, Beginning("now", 10), lease=lease)

    assert (again.epoch, again.calls_used) == ("now", 13)
    assert counters.read([calls_key(tenant_id, NOVEMBER)]) == [("now", 10, 0, 3)]
