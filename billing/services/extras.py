"""What a tenant is given beside its plan, each with a reason, who gave it, and mostly an end.

| source | name | priority | says | end |
|---|---|---|---|---|
| plan | `plan` | 0 | totals, features, rates, billing periods | with the subscription |
| trial | `trial:<plan>` | 0 | the totals and features of a higher plan; the more generous counts | needed |
| add-on | `add_on:<key>` | 10 | units on top, features | if given |
| gift | `gift:<key>` | 10 | units on top, features | if given |
| credit | `credit:<key>` | 10 | units on top in the present period alone | the period's, by itself |
| override | `override:<key>` | 100 | totals that are the last word: units on top do not count | needed |

The same source again replaces what it gave before. At its end (that moment excluded) it gives nothing
any more, without anybody's doing; nothing that was used meanwhile is taken away.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from billing import catalogue
from config.errors import NotFound, ValidationFailed
from config.logs import logger
from config.needs import Feature, Meter
from quotas import entitlements
from quotas.meters import resets_at
from quotas.models import Grant
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

log = logger(__name__)


class Source(StrEnum):
    """Kinds of grants beside the plan's."""

    TRIAL = "trial"
    ADD_ON = "add_on"
    GIFT = "gift"
    CREDIT = "credit"
    OVERRIDE = "override"


PRIORITIES = {
    Source.TRIAL: 0,
    Source.ADD_ON: 10,
    Source.GIFT: 10,
    Source.CREDIT: 10,
    Source.OVERRIDE: 100,
}
_NEEDS_END = frozenset({Source.TRIAL, Source.OVERRIDE})


@dataclass(frozen=True, slots=True)
class Extra:
    """What is given: totals (of an override), units on top (of the others), features.

    A trial's key is a plan's, whose contents it gives.
    """

    source: Source
    key: str
    limits: Mapping[Meter, int | None] | None = None
    adds: Mapping[Meter, int] | None = None
    features: Iterable[Feature] = ()

    @property
    def name(self) -> str:
        return f"{self.source}:{self.key}"


@transaction.atomic
def give(
    *,
    tenant_id: UUID,
    extra: Extra,
    by: str,
    reason: str,
    now: datetime,
    expires_at: datetime | None = None,
) -> None:
    """Give it from the next request on. Raises ValidationFailed, by field."""
    contents = _contents(extra)
    end = _end(tenant_id, extra, now) if extra.source is Source.CREDIT else expires_at
    _check(extra, contents, reason=reason, end=end, now=now)
    entitlements.grant(
        tenant_id=tenant_id,
        source=extra.name,
        plan="",
        rates={},
        ladder={},
        feature_ladder={},
        priority=PRIORITIES[extra.source],
        expires_at=end,
        by=by,
        reason=reason.strip(),
        now=now,
        **contents,
    )
    told = {**contents, "reason": reason.strip(), "expires_at": end}
    _record(Action.ENTITLEMENT_GIVEN, tenant_id, extra.name, Change(after=told))
    log.info("entitlement.given", extra={"tenant_id": str(tenant_id), "source": extra.name})


@transaction.atomic
def withdraw(*, tenant_id: UUID, source: Source, key: str, by: str, reason: str) -> None:
    """Take it back from the next request on. Raises NotFound for what was not given."""
    name = f"{source}:{key}"
    if not Grant.objects.filter(tenant_id=tenant_id, source=name).exists():
        raise NotFound()
    entitlements.withdraw(tenant_id=tenant_id, source=name)
    _record(Action.ENTITLEMENT_WITHDRAWN, tenant_id, name, Change(after={"reason": reason}))
    facts = {"tenant_id": str(tenant_id), "source": name, "by": by, "reason": reason}
    log.info("entitlement.withdrawn", extra=facts)


def _record(action: Action, tenant_id: UUID, source: str, change: Change) -> None:
    record(action, Subject("entitlement", source), change, tenant_id=tenant_id)


def _contents(extra: Extra) -> dict[str, Any]:
    if extra.source is not Source.TRIAL:
        return {
            "limits": {meter.value: limit for meter, limit in (extra.limits or {}).items()},
            "adds": {meter.value: units for meter, units in (extra.adds or {}).items()},
            "features": [feature.value for feature in extra.features],
        }
    try:
        spec = catalogue.plan(extra.key)
    except KeyError:
        names = ", ".join(each.key for each in catalogue.plans())
        raise ValidationFailed(
            errors={"key": [_("One of %(plans)s.") % {"plans": names}]}
        ) from None
    return {
        "limits": {meter.value: limit for meter, limit in spec.limits.items()},
        "adds": {},
        "features": [feature.value for feature in spec.features],
    }


def _end(tenant_id: UUID, extra: Extra, now: datetime) -> datetime | None:
    """When the first of the present periods of what is credited ends; a lifetime has none."""
    anchor = entitlements.snapshot(tenant_id, now=now).anchor
    ends = [resets_at(meter, now, anchor) for meter in extra.adds or {}]
    return min((end for end in ends if end is not None), default=None) if all(ends) else None


def _check(
    extra: Extra, contents: dict[str, Any], *, reason: str, end: datetime | None, now: datetime
) -> None:
    errors = _faults_of_contents(extra, contents)
    if not reason.strip():
        errors["reason"] = [_("Say why.")]
    if end is not None and end <= now:
        errors["expires_at"] = [_("This has passed.")]
    elif end is None and extra.source in _NEEDS_END:
        errors["expires_at"] = [_("Say until when.")]
    elif end is None and extra.source is Source.CREDIT:
        errors["adds"] = [_("Only what starts anew with a period can be credited.")]
    if errors:
        raise ValidationFailed(errors=errors)


def _faults_of_contents(extra: Extra, contents: dict[str, Any]) -> dict[str, list[str]]:
    stated, other = ("limits", "adds") if extra.source in _NEEDS_END else ("adds", "limits")
    if contents[other]:
        return {"source": [_("An override says totals, the others what comes on top.")]}
    if not contents[stated] and not contents["features"]:
        return {stated: [_("It would give nothing.")]}
    return {}
