"""What each law lets people ask for, and in how many days it must be answered.

Sources: GDPR art. 12(3), 15-20 (one month, two more where the tenant says why in time; months as in art. 3 of
Regulation 1182/71); California's CCPA regulations, 11 CCR 7021 (45 days, 45 more) and 7026-7027 (15 business
days for opting out, never longer); Canada's PIPEDA, schedule 1 principle 4.9 and section 8 (30 days, 30 more).
"""

from dataclasses import dataclass
from datetime import date, timedelta

from apps.crm.models import PrivacyRequest
from quotas.periods import months_after

Law, Kind = PrivacyRequest.Law, PrivacyRequest.Kind


@dataclass(frozen=True, slots=True)
class Term:
    """How long an answer may take, and how much longer once it was extended (all nothing: it cannot be)."""

    months: int = 0
    days: int = 0
    business_days: int = 0
    more_months: int = 0
    more_days: int = 0

    @property
    def is_extensible(self) -> bool:
        return bool(self.more_months or self.more_days)

    def due_on(self, received_on: date, *, is_extended: bool = False) -> date:
        """The last day. The day of receipt does not count; a shorter month ends with its own last day."""
        months = self.months + (self.more_months if is_extended else 0)
        days = self.days + (self.more_days if is_extended else 0)
        due = months_after(received_on, months) + timedelta(days=days)
        return _business_days_after(due, self.business_days)


_GDPR = Term(months=1, more_months=2)
_CCPA = Term(days=45, more_days=45)
_OPT_OUT = Term(business_days=15)
_PIPEDA = Term(days=30, more_days=30)
TERMS: dict[tuple[str, str], Term] = {
    **{
        (Law.GDPR, kind): _GDPR
        for kind in (Kind.ACCESS, Kind.ERASE, Kind.CORRECT, Kind.RESTRICT, Kind.PORTABILITY)
    },
    **{
        (Law.CCPA, kind): _CCPA
        for kind in (Kind.ACCESS, Kind.ERASE, Kind.CORRECT, Kind.PORTABILITY)
    },
    (Law.CCPA, Kind.DO_NOT_SELL): _OPT_OUT,
    (Law.CCPA, Kind.RESTRICT): _OPT_OUT,
    **{(Law.PIPEDA, kind): _PIPEDA for kind in (Kind.ACCESS, Kind.ERASE, Kind.CORRECT)},
}


def kinds_of(law: str) -> list[str]:
    """What may be asked for under `law`."""
    return sorted(kind for known, kind in TERMS if known == law)


def _business_days_after(day: date, count: int) -> date:
    """Saturdays and Sundays do not count; holidays, which differ by state, do."""
    while count:
        day += timedelta(days=1)
        count -= day.weekday() < 5
    return day
