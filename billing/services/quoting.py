"""What a wish would cost: the very charges that follow, made in a transaction that its caller rolls back."""

from dataclasses import dataclass
from datetime import datetime

from billing.catalogue import FREE
from billing.models import Subscription
from billing.rating.lines import Draft
from billing.rating.terms import Terms
from billing.services import charging, consenting
from billing.services.charging import Charge
from billing.services.terms import renewed
from billing.services.wishes import Step


@dataclass(frozen=True, slots=True)
class Quote:
    """What a wish costs. `draft` is of `effective_at`: of now, or of the period that then begins.

    With the use so far of the period that ends with it: what is used until then is added. Use in another
    currency than `draft`'s is in `use`, invoices of their own. None where nothing is to be paid.
    `needs_consent`: first the buyer must agree, at the address with which the change is answered.
    """

    quoted_at: datetime
    effective_at: datetime
    is_at_once: bool
    terms: Terms
    draft: Draft | None
    use: tuple[Draft, ...] = ()
    needs_consent: bool = False


def quote(row: Subscription, present: Terms, step: Step, *, at: datetime, now: datetime) -> Quote:
    """Writes what the change would write."""
    wanted = step.at_once or step.later or present
    needs_consent = consenting.is_asked(row, present, wanted)
    if step.at_once is not None:
        charge = charging.change(row, terms=wanted, at=at, key="quote", now=now)
        return Quote(at, at, True, wanted, charge.draft, needs_consent=needs_consent)
    if step.later is None:
        return Quote(at, at, True, present, None)
    until = row.billed_until or now
    *use, last = [charge.draft for charge in _at_end(row, wanted, until)]
    draft = last if last.lines else None
    return Quote(at, until, False, wanted, draft, tuple(filter(_is_said, use)), needs_consent)


def _at_end(row: Subscription, terms: Terms, until: datetime) -> list[Charge]:
    if terms.plan == FREE:
        return [charging.finish(row, at=until, now=until)]
    return charging.go_on(row, terms=renewed(row, terms), now=until)


def _is_said(draft: Draft) -> bool:
    return bool(draft.lines)
