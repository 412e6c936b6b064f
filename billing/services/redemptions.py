"""What every code has in common: an end, and a number of tenants who may redeem it."""

from datetime import datetime

from django.db import connection

from billing.catalogue import CouponSpec, CreditSpec
from billing.models import Redemption
from billing.refusals import CouponInvalid


def refuse_over(spec: CouponSpec | CreditSpec, *, now: datetime) -> None:
    """Raise CouponInvalid where its time is over, or as many have redeemed it as may."""
    if spec.redeem_until is not None and spec.redeem_until <= now:
        raise CouponInvalid(reason="over")
    if spec.most_redemptions is None:
        return
    with connection.cursor() as cursor:
        # Whoever redeems the same code waits until the transaction's end, so that the count is exact.
        cursor.execute("SELECT pg_advisory_xact_lock(hashtext(%s))", [f"coupon:{spec.key}"])
    if Redemption.objects.filter(coupon=spec.key).count() >= spec.most_redemptions:
        raise CouponInvalid(reason="used_up")
