"""Properties of changes within a period, whatever is changed when, with whatever coupons."""

from datetime import timedelta
from fractions import Fraction
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from billing.catalogue.shapes import CouponSpec
from billing.rating.terms import Stretch, Terms
from tests.billing.offers import APRIL, FIFTH, TEN_OFF, changed, rated, stretch, terms

ALL_OFF = CouponSpec("ALL", "Everything", share=Fraction(1))
moments = st.integers(0, 30 * 86_400).map(lambda s: APRIL.starts_at + timedelta(seconds=s))
wishes = st.builds(
    terms,
    st.sampled_from(["small", "large"]),
    seats=st.integers(1, 30),
    add_ons=st.integers(1, 9).map(lambda n: (("emails", n),)),
)
discounted = st.sampled_from([(), (FIFTH,), (ALL_OFF,), (TEN_OFF,)])


@given(
    changes=st.lists(st.tuples(moments, wishes), min_size=1, max_size=6),
    coupons=st.sampled_from([(), (FIFTH,), (ALL_OFF,)]),
)
def test_a_chain_of_changes_never_gives_back_more_than_was_paid(changes, coupons):
    old, paid = terms(), rated(begins=stretch(terms(), coupons=coupons)).subtotal.amount
    for at, new in sorted(changes, key=lambda each: each[0]):
        paid += changed(old, new, at=at, coupons=coupons).subtotal.amount
        assert paid >= 0
        old = new
    back = rated(ends=stretch(old, starts_at=max(at for at, _ in changes), coupons=coupons))

    assert paid + back.subtotal.amount >= 0


@given(at=moments, old=wishes, new=wishes, coupons=discounted)
def test_a_change_is_what_the_new_terms_cost_less_what_the_old_ones_do(at, old, new, coupons):
    def rest(of: Terms) -> int:
        return rated(begins=Stretch(of, APRIL, at, coupons)).subtotal.amount

    assert changed(old, new, at=at, coupons=coupons).subtotal.amount == rest(new) - rest(old)


@given(at=moments, seats=st.lists(st.integers(5, 15), min_size=2, max_size=5), coupons=discounted)
def test_seats_one_by_one_cost_what_they_cost_at_once(at, seats, coupons):
    steps = [terms(seats=n) for n in seats]
    one_by_one = sum(
        changed(old, new, at=at, coupons=coupons).subtotal.amount for old, new in pairwise(steps)
    )

    assert one_by_one == changed(steps[0], steps[-1], at=at, coupons=coupons).subtotal.amount


@given(at=moments, of=wishes, amount=st.integers(1, 60_000))
def test_an_amount_takes_never_more_than_there_is(at, of, amount):
    coupon = CouponSpec("SOME", "Some off", amounts={"USD": amount})

    assert rated(begins=Stretch(of, APRIL, at, (coupon,))).subtotal.amount >= 0
