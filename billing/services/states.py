"""A subscription's states as a table: what is not in it is refused.

| from | to | by |
|---|---|---|
| trialing | active | the first payment, or going back to free |
| trialing | past_due, paused, cancelled | the provider's word of its own trial |
| trialing | expired | a trial of ours that nobody paid |
| active | trialing | a checkout of a plan that the provider gives a trial |
| active | past_due | a payment that failed |
| active | paused, cancelled | the provider's word, or the end that was asked for |
| past_due | active | the payment, within the request that tells of it |
| past_due | paused, cancelled | the provider's word, or the last step of dunning |
| paused | active, past_due, cancelled | the provider's word |
| cancelled, expired | active, trialing | buying anew, or the free plan |
"""

from collections import deque
from itertools import pairwise

from billing.models import Subscription
from billing.refusals import TransitionRefused

Status = Subscription.Status

TRANSITIONS: dict[Status, frozenset[Status]] = {
    Status.TRIALING: frozenset(
        {Status.ACTIVE, Status.PAST_DUE, Status.PAUSED, Status.CANCELLED, Status.EXPIRED}
    ),
    Status.ACTIVE: frozenset({Status.TRIALING, Status.PAST_DUE, Status.PAUSED, Status.CANCELLED}),
    Status.PAST_DUE: frozenset({Status.ACTIVE, Status.PAUSED, Status.CANCELLED}),
    Status.PAUSED: frozenset({Status.ACTIVE, Status.PAST_DUE, Status.CANCELLED}),
    Status.CANCELLED: frozenset({Status.ACTIVE, Status.TRIALING}),
    Status.EXPIRED: frozenset({Status.ACTIVE, Status.TRIALING}),
}


def move(row: Subscription, *, to: Status) -> None:
    """Set the status, one step; the same again is none. Raises TransitionRefused. The caller saves."""
    present = Status(row.status)
    if to != present and to not in TRANSITIONS[present]:
        raise TransitionRefused(status=present.value, asked=to.value)
    row.status = to


def follow(row: Subscription, *, to: Status) -> None:
    """Go where the provider's word leads, through the states that no word of it told us of.

    Events come late, out of order or not at all, so the provider may be several steps ahead; each of
    them is one of the table. Raises TransitionRefused where no steps lead there.
    """
    for _before, after in pairwise(_path(Status(row.status), to)):
        move(row, to=after)


def _path(start: Status, end: Status) -> list[Status]:
    """The fewest steps from `start` to `end`, both included."""
    found: dict[Status, list[Status]] = {start: [start]}
    waiting = deque([start])
    while waiting and end not in found:
        here = waiting.popleft()
        for there in sorted(TRANSITIONS[here] - found.keys() - {Status.EXPIRED}):
            found[there] = [*found[here], there]
            waiting.append(there)
    if end not in found:
        raise TransitionRefused(status=start.value, asked=end.value)
    return found[end]
