"""A hundred replays of one refresh token at once: one pair comes out, and then its family is dead."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import pytest
from django.db import connection

from tenants.identity import tokens
from tenants.identity.refusals import TokenInvalid
from tests.tenants.identity.people import join


@pytest.mark.django_db(transaction=True)
def test_of_a_hundred_replays_at_once_at_most_one_gets_a_pair_and_the_family_ends(acme):
    member = join(acme)
    now = datetime.now(UTC)
    first = tokens.issue(member=member, now=now)

    def attempt(_index: int) -> tokens.TokenPair | None:
        try:
            return tokens.rotate(refresh=first.refresh, tenant=acme, now=now)
        except TokenInvalid:
            return None
        finally:
            connection.close()

    with ThreadPoolExecutor(10) as pool:
        pairs = [pair for pair in pool.map(attempt, range(100)) if pair]

    assert len(pairs) == 1
    with pytest.raises(TokenInvalid):
        tokens.rotate(refresh=pairs[0].refresh, tenant=acme, now=now)
    with pytest.raises(TokenInvalid):
        tokens.member_by_access(token=pairs[0].access, tenant=acme, now=now)
