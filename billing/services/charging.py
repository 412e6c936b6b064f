"""What a moment of a subscription's life costs: the facts of its invoice, and the invoice itself.

| moment | invoice | says |
|---|---|---|
| the first payment | `start` | plan, seats and add-ons of the first period |
| other terms at once | `change` | the rest of the old terms back, the rest of the new ones; where the interval changes a whole new period, and the use of the one that is cut off |
| the end of a period | `period` | its use, and what came late; plan, seats and add-ons of the next |
| the end of what is paid | `final` | the use of the last period, and later what came late of it |
| late use, the next end more than a month away | `period` | what came late of periods before; once in 30 days |

An invoice is issued in the transaction that changes the terms, under the subscription's lock and a key
of its own: whoever is killed has changed nothing, and whoever comes twice finds it done. The row is
locked by the caller, who saves it.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta

from billing import books
from billing.books.buyers import buyer_of
from billing.models import Invoice, Subscription
from billing.rating import rate_period
from billing.rating.lines import Draft
from billing.rating.terms import Period, PeriodFacts, Stretch, Terms, Usage
from billing.services.catalogues import catalogues_of
from billing.services.collecting import promise_collection
from billing.services.coupons import coupons_in, use_in
from billing.services.terms import (
    begin_span,
    end_span,
    open_span,
    period_at,
)
from billing.services.usage_facts import late_use, mark_billed, usage_of, used_so_far
from quotas.periods import Anchor

Kind = Invoice.Kind
_SECOND = timedelta(seconds=1)


@dataclass(frozen=True, slots=True)
class Charge:
    """One invoice to be: its draft, and the use that it bills."""

    kind: Invoice.Kind
    key: str
    draft: Draft
    usage: tuple[Usage, ...] = ()


def begin(row: Subscription, *, terms: Terms, at: datetime, now: datetime) -> Charge:
    """Let `terms` be paid for from the beginning of the period that holds `at`."""
    period = period_at(row, at)
    use_in(row, period, at=period.starts_at)
    stretch = _stretch(row, terms, period, period.starts_at)
    begin_span(row, terms=terms, at=period.starts_at)
    row.billed_until, row.catalogue_version = period.ends_at, terms.catalogue_version
    draft = _draft(row, terms.currency, now, begins=stretch)
    return Charge(Kind.START, _key(row, period), draft)


def change(row: Subscription, *, terms: Terms, at: datetime, key: str, now: datetime) -> Charge:
    """Let `terms` hold from `at` on, within the billed period. A new interval begins a new period.

    The row has an open span, and keeps its currency.
    """
    period, before = period_at(row, at), _open_terms(row)
    ends = _stretch(row, before, period, at, coupons_at=_began(row, period))
    usage: tuple[Usage, ...] = ()
    if terms.interval == before.interval:
        use_in(row, period, at=at)
        begin_span(row, terms=terms, at=at, used_before=used_so_far(row, period))
        begins = _stretch(row, terms, period, at)
    else:
        end_span(row, at=at)
        # Late use in a former currency waits for the period's end.
        usage = _in(before.currency, usage_of(row, period))
        begins = _begun_anew(row, terms, at)
    # Whoever was moved to a newer catalogue stays moved: its prices hold from the next period on.
    row.catalogue_version = max(row.catalogue_version or 0, terms.catalogue_version)
    draft = _draft(row, terms.currency, now, begins=begins, ends=ends, usage=usage)
    return Charge(Kind.CHANGE, key, draft, usage)


def _begun_anew(row: Subscription, terms: Terms, at: datetime) -> Stretch:
    """A first period of another interval, from `at` on."""
    row.anchored_at, row.interval = at, terms.interval
    period = period_at(row, at)
    use_in(row, period, at=at)
    begin_span(row, terms=terms, at=at)
    row.billed_until = period.ends_at
    return _stretch(row, terms, period, at)


def go_on(row: Subscription, *, terms: Terms, now: datetime) -> list[Charge]:
    """Close the billed period and begin the next with `terms`; another interval or currency with it.

    Each currency has its invoice: use in another one, late use too, comes before the next period's.
    """
    ended, before = _billed_period(row), _open_terms(row)
    usage = usage_of(row, ended)
    if terms.interval != before.interval:
        row.anchored_at, row.interval = ended.ends_at, terms.interval
    row.currency = terms.currency
    period = period_at(row, ended.ends_at)
    use_in(row, period, at=period.starts_at)
    if terms != before:
        begin_span(row, terms=terms, at=period.starts_at)
    row.billed_until, row.catalogue_version = period.ends_at, terms.catalogue_version
    begins = _stretch(row, terms, period, period.starts_at)
    key = _key(row, period)
    others = sorted({each.terms.currency for each in usage} - {terms.currency})
    of_use = [_of_use(row, _in(currency, usage), currency, key, now) for currency in others]
    same = _in(terms.currency, usage)
    kind = Kind.PERIOD if terms.currency == before.currency else Kind.START
    draft = _draft(row, terms.currency, now, begins=begins, usage=same)
    return [*of_use, Charge(kind, key, draft, same)]


def _in(currency: str, usage: tuple[Usage, ...]) -> tuple[Usage, ...]:
    return tuple(each for each in usage if each.terms.currency == currency)


def _of_use(
    row: Subscription, usage: tuple[Usage, ...], currency: str, key: str, now: datetime
) -> Charge:
    draft = _draft(row, currency, now, usage=usage)
    return Charge(Kind.PERIOD, f"{key}:usage:{currency}", draft, usage)


def finish(row: Subscription, *, at: datetime, now: datetime) -> Charge:
    """Let nothing be paid for from `at` on; the use until then is billed. Nothing paid is given back."""
    before = _open_terms(row)
    period = period_at(row, at) if at != row.billed_until else _billed_period(row)
    end_span(row, at=at)
    usage = _in(before.currency, usage_of(row, period))  # `late` bills a former currency's
    row.billed_until = row.catalogue_version = None
    draft = _draft(row, before.currency, now, usage=usage)
    return Charge(Kind.FINAL, f"final:{row.pk}:{at.isoformat()}", draft, usage)


def late(row: Subscription, *, now: datetime) -> Charge | None:
    """Use that came after its period was billed, in an invoice of its own; None where none did.

    For who pays for nothing any more, or not again within a month: whoever does, finds it there.
    """
    before = now if row.billed_until is None else _billed_period(row).starts_at
    usage = late_use(row, before=before)
    if not usage:
        return None
    draft = _draft(row, usage[0].terms.currency, now, usage=usage)
    kind = Kind.FINAL if row.billed_until is None else Kind.PERIOD
    return Charge(kind, f"{late_key(row)}{now.isoformat()}", draft, usage)


def late_key(row: Subscription) -> str:
    """With what the keys of the invoices of late use alone begin."""
    return f"late:{row.pk}:"


def issue(row: Subscription, charge: Charge, *, now: datetime) -> Invoice | None:
    """The invoice of what was charged, promised to the provider; None where it has no line to say.

    The row is saved: the provider's promise reads it.
    """
    mark_billed(row, charge.usage)
    if not charge.draft.lines:
        return None
    invoice = books.issue(
        tenant_id=row.tenant_id,
        draft=charge.draft,
        kind=charge.kind,
        key=charge.key,
        now=now,
        facts={"subscription_id": str(row.pk)},
    )
    promise_collection(invoice_id=invoice.pk, now=now)
    return invoice


def _open_terms(row: Subscription) -> Terms:
    span = open_span(row)
    if span is None or row.billed_until is None:
        raise ValueError(f"{row.pk}: nothing is paid for")
    return Terms.read(span.terms)


def _key(row: Subscription, period: Period) -> str:
    """Of the invoice in which a period begins: paused and resumed within it, it is not billed again."""
    return f"period:{row.pk}:{period.starts_at.isoformat()}"


def _began(row: Subscription, period: Period) -> datetime:
    """When the present terms began in the period: the coupons of that moment were taken off."""
    span = open_span(row)
    return max(span.starts_at, period.starts_at) if span else period.starts_at


def _billed_period(row: Subscription) -> Period:
    """The period that ends where the billed one does."""
    if row.anchored_at is None or row.billed_until is None:
        raise ValueError(f"{row.pk}: nothing is paid for")
    return Period(*Anchor(row.anchored_at, row.interval).around(row.billed_until - _SECOND))


def _stretch(
    row: Subscription,
    terms: Terms,
    period: Period,
    at: datetime,
    *,
    coupons_at: datetime | None = None,
) -> Stretch:
    return Stretch(terms, period, at, coupons_in(row, terms, at=coupons_at or at))


def _draft(
    row: Subscription,
    currency: str,
    now: datetime,
    *,
    begins: Stretch | None = None,
    ends: Stretch | None = None,
    usage: tuple[Usage, ...] = (),
) -> Draft:
    versions = {each.terms.catalogue_version for each in (begins, ends, *usage) if each}
    buyer, seller = buyer_of(row.tenant_id)
    return rate_period(
        PeriodFacts(
            currency=currency,
            at=now,
            catalogues=catalogues_of(versions),
            buyer=buyer,
            seller=seller,
            begins=begins,
            ends=ends,
            usage=usage,
        )
    )
