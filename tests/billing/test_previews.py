"""A preview is the invoice that follows, to the minor unit (`make drills ARGS=previews` for 1,000)."""

import random

import pytest

from tests.billing.random_changes import random_changes

pytestmark = pytest.mark.django_db


def test_random_previews_equal_the_invoices_that_follow(globex):
    pairs = list(random_changes(random.Random(2026), globex, 40))

    assert [(pair.told, pair.previewed) for pair in pairs] == [
        (pair.told, pair.invoiced) for pair in pairs
    ]
    # None of it in vain: most are invoices, some of use too, some in two currencies.
    made = [pair.invoiced for pair in pairs if isinstance(pair.invoiced, list) and pair.invoiced]
    kinds = {line[0] for invoices in made for invoice in invoices for line in invoice[0]}
    assert len(made) > 20
    assert {"plan", "seats", "add_on", "usage", "late_usage", "discount"} <= kinds
    assert any(len({invoice[3] for invoice in invoices}) == 2 for invoices in made)
