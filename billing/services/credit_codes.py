"""Credit by a code of the catalogue: given once to a tenant, in the currency that it pays in."""

from datetime import datetime

from billing import books, catalogue
from billing.catalogue import CreditSpec
from billing.models import Redemption, Subscription
from billing.money import Money
from billing.refusals import CouponInvalid
from billing.services.redemptions import refuse_over
from config.logs import logger

log = logger(__name__)


def give(row: Subscription, spec: CreditSpec, *, now: datetime) -> Redemption:
    """Give it within a transaction that holds the row. Again: the same. Raises CouponInvalid.

    The next invoices take it off what they owe; the redemption has no period left in which it discounts.
    """
    known = row.redemptions.filter(coupon=spec.key).first()
    if known is not None:
        return known
    refuse_over(spec, now=now)
    if row.currency not in spec.amounts:
        raise CouponInvalid(reason="other_plan_or_currency")
    books.grant_credit(
        tenant_id=row.tenant_id,
        amount=Money(spec.amounts[row.currency], row.currency),
        note=spec.name,
        by="code",
        key=f"code:{spec.key}",
        now=now,
    )
    log.info("credit.redeemed", extra={"tenant_id": str(row.tenant_id), "credit": spec.key})
    return row.redemptions.create(
        coupon=spec.key, catalogue_version=catalogue.version(), redeemed_at=now, periods_left=0
    )
