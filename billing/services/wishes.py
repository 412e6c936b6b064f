"""Other terms that somebody wants: which they would be, when they would hold, and what waits of them.

More holds at once: a higher plan, a year instead of a month, seats and add-ons on top. Less waits for
the period's end, for what is paid is paid. So a seat that is freed and taken again within a period
costs nothing the second time: until the period ends it is among those that are paid for.

Another currency waits for the period's end with all that is wished beside it: nothing paid in one is
given back in another.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from django.utils.translation import gettext as _

from billing import catalogue
from billing.catalogue import FREE, PlanSpec
from billing.models import Subscription, SubscriptionChange
from billing.rating.terms import Terms
from billing.refusals import PlanNotForSale, QuoteOutdated, SeatsInUse, SeatsNotSold
from billing.services.catalogues import catalogue_of
from billing.services.finding import find_plan
from billing.services.terms import open_span, period_at, spec_of
from config.errors import ValidationFailed
from config.needs import Meter
from quotas import ledger
from quotas.periods import EPOCH, MONTHS_IN

# How long the amounts of a preview hold: a change within it is reckoned from the preview's moment.
QUOTE_HOLDS = timedelta(hours=1)
Change = SubscriptionChange.Status


@dataclass(frozen=True, slots=True)
class Wish:
    """What is to be other than it is; None leaves it. `quoted_at` is the moment of a preview."""

    plan: str | None = None
    interval: str | None = None
    currency: str | None = None
    seats: int | None = None
    add_ons: Mapping[str, int] | None = None
    coupon: str = ""
    quoted_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """`at_once` holds from now on, `later` from the period's end; None: nothing of that kind."""

    at_once: Terms | None = None
    later: Terms | None = None


def wished(row: Subscription, present: Terms, wish: Wish) -> Terms:
    """The terms that `wish` makes of the present ones.

    Raises ValidationFailed, SeatsNotSold, SeatsInUse, PlanNotForSale.
    """
    plan = find_plan(wish.plan).key if wish.plan else present.plan
    if plan == FREE:
        return replace(present, plan=FREE)
    new = carry_over(row, present, plan=plan, interval=wish.interval or present.interval)
    new = replace(new, currency=wish.currency or present.currency)
    _refuse_unpriced(new)
    if wish.seats is not None:
        new = replace(new, seats=_seats(row, spec_of(new), wish.seats))
    if wish.add_ons is not None:
        new = replace(new, add_ons=_add_ons(new, wish.add_ons))
    return new


def _refuse_unpriced(terms: Terms) -> None:
    if spec_of(terms).price(currency=terms.currency, interval=terms.interval) is None:
        asked = {"currency": terms.currency, "interval": terms.interval}
        raise PlanNotForSale(plan=terms.plan, **asked)


def carry_over(row: Subscription, present: Terms, *, plan: str, interval: str) -> Terms:
    """The present terms on another plan or interval: what was bought beside it goes on, as far as it is sold.

    Another plan is one of the present catalogue; who stays on a plan stays on its version.
    """
    is_other = plan != present.plan
    version = catalogue.version() if is_other else present.catalogue_version
    new = replace(present, plan=plan, interval=interval, catalogue_version=version)
    if not is_other:
        return new
    sold = catalogue_of(version).add_ons
    kept = [each for each in present.add_ons if each[0] in sold and plan in sold[each[0]].plans]
    seats = _carried_seats(present, spec_of(present), spec_of(new))
    return replace(new, seats=seats, add_ons=tuple(kept))


def _carried_seats(present: Terms, before: PlanSpec, after: PlanSpec) -> int:
    included = after.limits[Meter.SEATS] or 0
    was_included = before.limits[Meter.SEATS]
    if was_included is None or present.seats <= was_included:
        return included
    most = after.most_seats
    return max(included, present.seats if most is None else min(present.seats, most))


def _seats(row: Subscription, spec: PlanSpec, asked: int) -> int:
    included = spec.limits[Meter.SEATS]
    if included is None:
        return 0
    most = spec.most_seats
    if most is not None and asked > most:
        raise SeatsNotSold(plan=spec.key, included=included, most=most)
    used = ledger.used_in(row.tenant_id, Meter.SEATS, EPOCH)
    if max(asked, included) < used:
        raise SeatsInUse(asked=asked, used=used)
    return max(asked, included)


def _add_ons(terms: Terms, asked: Mapping[str, int]) -> tuple[tuple[str, int], ...]:
    sold = catalogue_of(terms.catalogue_version).add_ons
    for key, quantity in asked.items():
        spec = sold.get(key)
        if spec is None or terms.plan not in spec.plans or not 0 <= quantity <= spec.most:
            fault = _("%(add_on)s is not sold to this plan, or not so many of it.")
            raise ValidationFailed(errors={"add_ons": [fault % {"add_on": key}]})
    return tuple(sorted((key, quantity) for key, quantity in asked.items() if quantity))


def steps(present: Terms, new: Terms) -> Step:
    """Which part of the wish holds at once, and which waits."""
    if new == present:
        return Step()
    if new.plan == FREE or new.currency != present.currency or _is_less(present, new):
        return Step(later=new)
    if _is_less(new, present):
        return Step(at_once=new)
    most = _most_of(present, new)
    return Step(at_once=None if most == present else most, later=None if most == new else new)


def _is_less(before: Terms, after: Terms) -> bool:
    """A lower plan, or a month instead of a year."""
    return _rank(after) < _rank(before) or _months(after) < _months(before)


def _most_of(one: Terms, other: Terms) -> Terms:
    """Of each thing that may be counted the greater number."""
    counts = dict(one.add_ons)
    for key, quantity in other.add_ons:
        counts[key] = max(quantity, counts.get(key, 0))
    return replace(one, seats=max(one.seats, other.seats), add_ons=tuple(sorted(counts.items())))


def _rank(terms: Terms) -> int:
    return spec_of(terms).rank


def _months(terms: Terms) -> int:
    return MONTHS_IN[terms.interval]


def open_change(row: Subscription) -> SubscriptionChange | None:
    """The wish that waits; None where none does."""
    return row.changes.filter(status__in=SubscriptionChange.OPEN).first()


def settle_change(row: Subscription, *, to: Change, now: datetime) -> bool:
    """Let nothing wait any more: it was done, or called off. Whether anything did wait."""
    row.pending_plan = ""
    waiting = row.changes.filter(status__in=SubscriptionChange.OPEN)
    return bool(waiting.update(status=to, settled_at=now))


def quoted(row: Subscription, change: SubscriptionChange | None, *, now: datetime) -> datetime:
    """From when a change at once is reckoned: its quote's moment while that holds, else now.

    Never before the present terms began, so that no moment is billed twice.
    """
    is_held = change is not None and now - change.quoted_at <= QUOTE_HOLDS
    at = change.quoted_at if change is not None and is_held else now
    span = open_span(row)
    return max(at, span.starts_at) if span else at


def quote_moment(row: Subscription, wish: Wish, *, now: datetime) -> datetime:
    """The moment that the wish names, or now. Raises QuoteOutdated."""
    at = wish.quoted_at
    if at is None:
        return now
    span = open_span(row)
    is_of_present = (
        span is not None and at >= span.starts_at and period_at(row, at).ends_at == row.billed_until
    )
    if at > now or now - at > QUOTE_HOLDS or not is_of_present:
        raise QuoteOutdated()
    return at
