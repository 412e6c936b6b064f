"""What is subscribed, and since when: the spans in which terms hold."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from billing import catalogue
from billing.catalogue import PlanSpec
from billing.models import Subscription, SubscriptionSpan
from billing.rating.terms import Period, Terms
from billing.services.catalogues import catalogue_of
from config.needs import Meter
from quotas.periods import Anchor


def spec_of(terms: Terms) -> PlanSpec:
    """The plan of the terms, in their version of the catalogue."""
    return catalogue_of(terms.catalogue_version).plan(terms.plan)


def plain_terms(row: Subscription, *, plan: str) -> Terms:
    """`plan` with the seats that it includes and nothing beside it, in the row's interval and currency."""
    version = row.catalogue_version or catalogue.version()
    included = catalogue_of(version).plan(plan).limits[Meter.SEATS]
    return Terms(
        plan=plan,
        catalogue_version=version,
        interval=row.interval,
        currency=row.currency,
        seats=included or 0,
    )


def renewed(row: Subscription, terms: Terms) -> Terms:
    """`terms` as the next period has them: moved to a newer catalogue meanwhile, its prices hold then."""
    version = max(terms.catalogue_version, row.catalogue_version or 0)
    return replace(terms, catalogue_version=version)


def open_span(row: Subscription) -> SubscriptionSpan | None:
    """What is paid for now; None where nothing is."""
    return row.spans.filter(ends_at=None).first()


def present_terms(row: Subscription) -> Terms | None:
    """The terms of the open span; None where nothing is paid for."""
    span = open_span(row)
    return Terms.read(span.terms) if span else None


def begin_span(
    row: Subscription, *, terms: Terms, at: datetime, used_before: Mapping[str, int] | None = None
) -> None:
    """Let `terms` hold from `at` on. What held for no time at all is forgotten."""
    end_span(row, at=at)
    row.spans.update_or_create(
        starts_at=at,
        defaults={
            "terms": terms.stored(),
            "used_before": dict(used_before or {}),
            "ends_at": None,
        },
    )


def end_span(row: Subscription, *, at: datetime) -> None:
    """Let what is paid for end at `at`. Harmless twice."""
    row.spans.filter(ends_at=None, starts_at__gte=at).delete()
    row.spans.filter(ends_at=None).update(ends_at=at)


def period_at(row: Subscription, at: datetime) -> Period:
    """The billing period of the row's anchor that holds `at`."""
    if row.anchored_at is None:
        raise ValueError(f"{row.pk} has no anchor")
    return Period(*Anchor(row.anchored_at, row.interval).around(at))


@dataclass(frozen=True, slots=True)
class Part:
    """`terms` as they held in [starts_at, ends_at) of one period; `used_before` as the span says."""

    terms: Terms
    starts_at: datetime
    ends_at: datetime
    used_before: Mapping[str, int]


def parts_of(row: Subscription, period: Period) -> list[Part]:
    """What held in `period`, in order of time."""
    spans = row.spans.filter(starts_at__lt=period.ends_at).exclude(ends_at__lte=period.starts_at)
    return [
        Part(
            terms=Terms.read(span.terms),
            starts_at=max(span.starts_at, period.starts_at),
            ends_at=min(span.ends_at or period.ends_at, period.ends_at),
            used_before=span.used_before if span.starts_at > period.starts_at else {},
        )
        for span in spans.order_by("starts_at")
    ]
