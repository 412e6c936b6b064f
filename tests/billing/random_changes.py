"""Random wishes of random subscribers: what the preview says, and what the invoices then say.

Plans, intervals, seats, add-ons, coupons, currencies, countries; metered use, late use too; periods that
begin on month ends and in leap years; moments told in other time zones.
"""

import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from django.db import transaction

from billing import catalogue
from billing.models import Invoice, Subscription, TaxProfile
from billing.rating.lines import Draft
from billing.refusals import CouponInvalid
from billing.services import amending, closing
from billing.services.coupons import redeem
from billing.services.wishes import Wish
from config.errors import DomainError
from config.needs import Meter
from quotas import ledger
from tenants.models import Tenant
from tests.billing.paying import invoices, paying

PAID = [spec.key for spec in catalogue.plans() if spec.is_paid]
# Leap days, month ends, a year's end: where a period is not as long as the one before.
DAYS = [(2027, 12, 31), (2028, 1, 31), (2028, 2, 29), (2027, 2, 28), (2026, 8, 30), (2026, 6, 15)]
ZONES = ["UTC", "America/Mexico_City", "Asia/Tokyo", "Europe/Madrid", "Pacific/Chatham"]
COUNTRIES = ["", "MX", "CR", "DE", "FI", "US"]
METERED = [Meter.EMAILS, Meter.SMS, Meter.TOKENS, Meter.VALIDATIONS, Meter.IMAGES]


@dataclass(frozen=True, slots=True)
class Pair:
    """What was previewed and what was invoiced: comparable facts of each invoice, or a refusal's code.

    `at` is how far the clock has gone.
    """

    at: datetime
    told: str
    previewed: Any
    invoiced: Any


def random_changes(dice: random.Random, tenant: Tenant, number: int) -> Iterator[Pair]:
    """`number` previews, each with what followed it; nothing of them stays."""
    made = 0
    while made < number:
        with transaction.atomic():
            for pair in _life(dice, tenant):
                made += 1
                yield pair
            transaction.set_rollback(True)


def _life(dice: random.Random, tenant: Tenant) -> Iterator[Pair]:
    """One subscriber, and what it wishes in its first periods."""
    begin = datetime(*dice.choice(DAYS), dice.randrange(24), 59, 58, tzinfo=UTC)
    country = dice.choice(COUNTRIES)
    TaxProfile.objects.filter(tenant_id=tenant.id).delete()
    if country:
        TaxProfile.objects.create(tenant_id=tenant.id, name="Buyer", country=country)
    row = paying(
        tenant,
        plan=dice.choice(PAID),
        at=begin,
        interval=dice.choice(["month", "month", "year"]),
        currency=dice.choice(catalogue.CURRENCIES),
    )
    at = begin
    if dice.random() < 0.4:  # late use is of a period that is billed already
        at = row.billed_until or begin
        closing.close_due(now=at)
    for _ in range(dice.randint(2, 5)):
        row.refresh_from_db()
        until = row.billed_until or at
        at += timedelta(seconds=dice.randrange(int((until - at).total_seconds())) // 2)
        if dice.random() < 0.2:
            with suppress(CouponInvalid):
                redeem(tenant_id=tenant.id, code=_coupon(dice), now=at)
        for _ in range(dice.randrange(3)):
            _use(dice, tenant, row, at=at, since=begin)
        pair = _pair(dice, tenant, row, at)
        at = pair.at
        yield pair


def _use(
    dice: random.Random, tenant: Tenant, row: Subscription, *, at: datetime, since: datetime
) -> None:
    """About as much of a meter as the plan includes; some of it comes a month late."""
    meter = dice.choice(METERED)
    included = catalogue.plan(row.plan).limits[meter] or 1_000
    late = max(since, at - timedelta(days=31))
    ledger.consume(
        tenant_id=tenant.id, meter=meter, quantity=dice.randint(1, included * 3),
        key=f"use:{dice.random()}", now=late if dice.random() < 0.3 else at,
    )  # fmt: skip


def _pair(dice: random.Random, tenant: Tenant, row: Subscription, at: datetime) -> Pair:
    wish, told = _wish(dice, row), at.astimezone(ZoneInfo(dice.choice(ZONES)))
    try:
        quote = amending.preview(tenant_id=tenant.id, wish=wish, now=told)
    except DomainError as refusal:
        return Pair(at, str(wish), refusal.code, _refused(tenant, wish, at))
    # Within the same billed period, so that the quote's moment holds.
    row.refresh_from_db()
    later = min(at + timedelta(minutes=dice.randrange(60)), (row.billed_until or at))
    later = max(at, later - timedelta(seconds=1))
    known = {invoice.pk for invoice in invoices(tenant)}
    asked = replace(wish, quoted_at=told)
    amending.change(tenant_id=tenant.id, wish=asked, now=later)
    if not quote.is_at_once:
        closing.close_due(now=quote.effective_at)
    new = [invoice for invoice in invoices(tenant) if invoice.pk not in known]
    until = later if quote.is_at_once else quote.effective_at
    drafts = [_of_draft(draft) for draft in (*quote.use, quote.draft) if draft and draft.lines]
    return Pair(until, f"{wish} at {told}", drafts, [_of_invoice(invoice) for invoice in new])


def _refused(tenant: Tenant, wish: Wish, now: datetime) -> str:
    try:
        with transaction.atomic():
            amending.change(tenant_id=tenant.id, wish=wish, now=now)
    except DomainError as refusal:
        return refusal.code
    return "not refused"


def _wish(dice: random.Random, row: Subscription) -> Wish:
    """Mostly more than there is, which is billed at once; sometimes what is not sold."""
    plan = dice.choice([*PAID, row.plan, row.plan])
    spec = catalogue.plan(plan)
    wishes: dict[str, Any] = {
        "interval": dice.choice(catalogue.INTERVALS),
        "seats": (spec.limits[Meter.SEATS] or 0) + dice.choice([0, 1, 3, 10, 50]),
        "add_ons": {key: dice.randint(1, 4) for key in _add_ons(plan, dice)},
        "coupon": _coupon(dice),
        "currency": dice.choice(catalogue.CURRENCIES),
    }
    odds = {"currency": 0.2, "interval": 0.2, "seats": 0.5, "add_ons": 0.4, "coupon": 0.2}
    return Wish(plan=plan, **{name: wishes[name] for name in odds if dice.random() < odds[name]})


def _add_ons(plan: str, dice: random.Random) -> list[str]:
    sold = [key for key, spec in catalogue.load().add_ons.items() if plan in spec.plans]
    return dice.sample(sold, min(len(sold), dice.randint(0, 2)))


def _coupon(dice: random.Random) -> str:
    return dice.choice(list(catalogue.load().coupons))


def _of_draft(draft: Draft) -> Any:
    lines = [
        (line.kind.value, line.subject, line.quantity, line.amount.amount, _utc(line.starts_at))
        for line in draft.lines
    ]
    taxes = [(tax.key, tax.rate_millionths, tax.amount.amount) for tax in draft.taxes]
    return lines, taxes, draft.total.amount, draft.currency


def _of_invoice(invoice: Invoice) -> Any:
    lines = [
        (line.kind, line.subject, line.quantity, line.amount_minor, _utc(line.starts_at))
        for line in invoice.lines.order_by("position")
    ]
    taxes = [
        (tax.tax, tax.rate_millionths, tax.amount_minor)
        for tax in invoice.taxes.order_by("position")
    ]
    return lines, taxes, invoice.total_minor, invoice.currency


def _utc(moment: datetime) -> datetime:
    """In one zone: in the hour that a clock set back has twice, no moment equals another zone's."""
    return moment.astimezone(UTC)
