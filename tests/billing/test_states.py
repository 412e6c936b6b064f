"""The table of states: every step that it has is taken, every other is refused."""

from itertools import product

import pytest

from billing.models import Subscription
from billing.refusals import TransitionRefused
from billing.services.states import TRANSITIONS, Status, follow, move

EVERY_PAIR = [(start, end) for start, end in product(Status, Status) if start != end]
REFUSED = [pair for pair in EVERY_PAIR if pair[1] not in TRANSITIONS[pair[0]]]


def test_the_table_has_every_state_and_leaves_none_without_a_way_on():
    assert TRANSITIONS.keys() == set(Status)
    assert all(TRANSITIONS.values())
    assert len(REFUSED) == 11


@pytest.mark.parametrize(("start", "end"), REFUSED)
def test_a_step_that_is_not_in_the_table_is_refused_and_changes_nothing(start, end):
    row = Subscription(status=start)

    with pytest.raises(TransitionRefused) as refusal:
        move(row, to=end)

    assert (refusal.value.facts, row.status) == ({"status": start, "asked": end}, start)


def test_every_step_of_the_table_is_taken():
    for start, ends in TRANSITIONS.items():
        for end in ends:
            row = Subscription(status=start)
            move(row, to=end)
            assert row.status == end


def test_only_a_trial_can_expire():
    assert [start for start, ends in TRANSITIONS.items() if Status.EXPIRED in ends] == [
        Status.TRIALING
    ]


@pytest.mark.parametrize(("start", "end"), EVERY_PAIR)
def test_the_providers_word_leads_through_what_it_did_not_tell(start, end):
    row = Subscription(status=start)
    if end == Status.EXPIRED and start != Status.TRIALING:
        with pytest.raises(TransitionRefused):
            follow(row, to=end)
        return
    if end == Status.EXPIRED:
        move(row, to=end)
    else:
        follow(row, to=end)
    assert row.status == end
