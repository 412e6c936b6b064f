"""Coupons in the order in which they were redeemed, each on what those before it left."""

from collections.abc import Iterator
from fractions import Fraction

from billing.catalogue.shapes import CouponSpec
from billing.money import Money
from billing.rating.terms import Stretch


def discounts(stretch: Stretch, base: Money, *, whole: Money) -> Iterator[tuple[CouponSpec, Money]]:
    """What each coupon takes off `base`, the stretch's plan, seats and add-ons: never more than is left.

    An amount is of a whole period, which costs `whole`; of the rest of one it is the rest's share, and
    all of it where it covers the whole period.
    """
    left = base
    for coupon in stretch.coupons:
        if coupon.fits(plan=stretch.terms.plan, currency=base.currency):
            off = _off(coupon, left, whole, stretch.share)
            yield coupon, off
            left -= off
            whole -= _off(coupon, whole, whole, Fraction(1))


def _off(coupon: CouponSpec, left: Money, whole: Money, share: Fraction) -> Money:
    if coupon.share is not None:
        return left.times(coupon.share)
    amount = Money(coupon.amounts[left.currency], left.currency)
    return left if whole <= amount else min(amount.times(share), left)


def usage_discounts(
    coupons: tuple[CouponSpec, ...], base: Money, *, plan: str
) -> Iterator[tuple[CouponSpec, Money]]:
    """What each coupon of a share takes off use; those of an amount take nothing off it."""
    left = base
    for coupon in coupons:
        if coupon.share is not None and coupon.fits(plan=plan, currency=base.currency):
            off = left.times(coupon.share)
            yield coupon, off
            left -= off
