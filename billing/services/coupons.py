"""Coupons: redeemed once by a tenant, and in force for whole billing periods."""

from datetime import datetime
from uuid import UUID

from django.db import transaction
from django.db.models import Q

from billing import catalogue
from billing.catalogue import CouponSpec
from billing.models import Redemption, Subscription
from billing.rating.terms import Period, Terms
from billing.refusals import CouponInvalid
from billing.services import credit_codes
from billing.services.catalogues import catalogue_of
from billing.services.finding import subscription_of
from billing.services.redemptions import refuse_over
from config.logs import logger
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

log = logger(__name__)


@transaction.atomic
def redeem(*, tenant_id: UUID, code: str, now: datetime) -> Redemption:
    """Let the coupon hold from the next period on, or give its credit now. Again: the same.

    Raises CouponInvalid, NotFound.
    """
    row = subscription_of(tenant_id, for_update=True)
    credit = catalogue.load().credits.get(code.strip().upper())
    if credit is not None:
        return credit_codes.give(row, credit, now=now)
    return claim(row, code=code, now=now)


def claim(row: Subscription, *, code: str, now: datetime, terms: Terms | None = None) -> Redemption:
    """The same within a transaction that holds the row, for the terms that are about to hold."""
    spec = checked(row, code=code, now=now, terms=terms)
    known = row.redemptions.filter(coupon=spec.key).first()
    if known is not None:
        return known
    made = row.redemptions.create(
        coupon=spec.key,
        catalogue_version=catalogue.version(),
        redeemed_at=now,
        periods_left=spec.periods,
    )
    subject = Subject("coupon", spec.key)
    record(Action.COUPON_REDEEMED, subject, tenant_id=row.tenant_id)
    log.info("coupon.redeemed", extra={"tenant_id": str(row.tenant_id), "coupon": spec.key})
    return made


def checked(
    row: Subscription, *, code: str, now: datetime, terms: Terms | None = None
) -> CouponSpec:
    """The coupon that `code` names, if it may be redeemed here. Raises CouponInvalid with a `reason`."""
    spec = catalogue.load().coupons.get(code.strip().upper())
    if spec is None:
        raise CouponInvalid(reason="unknown")
    if row.redemptions.filter(coupon=spec.key).exists():
        return spec
    refuse_over(spec, now=now)
    plan, currency = (terms.plan, terms.currency) if terms else (row.plan, row.currency)
    if not spec.fits(plan=plan, currency=currency):
        raise CouponInvalid(reason="other_plan_or_currency")
    return spec


def coupons_in(row: Subscription, terms: Terms, *, at: datetime) -> tuple[CouponSpec, ...]:
    """Those that hold for a stretch of `terms` that begins at `at`, in order of redemption."""
    held = row.redemptions.filter(holds_from__lte=at).filter(
        Q(holds_until=None) | Q(holds_until__gt=at)
    )
    specs = [
        catalogue_of(each.catalogue_version).coupons[each.coupon]
        for each in held.order_by("redeemed_at", "pk")
    ]
    return tuple(spec for spec in specs if spec.fits(plan=terms.plan, currency=terms.currency))


def use_in(row: Subscription, period: Period, *, at: datetime) -> None:
    """Put the coupons to use that have periods left: for the stretches of `period` from `at` on.

    One that holds in `period` already is used in it once.
    """
    waiting = row.redemptions.filter(Q(holds_until=None) | Q(holds_until__lt=period.ends_at))
    for each in waiting.exclude(periods_left=0).select_for_update():
        if each.periods_left is not None:
            each.periods_left -= 1
        each.holds_from = at if each.holds_from is None else each.holds_from
        each.holds_until = period.ends_at
        each.save()
