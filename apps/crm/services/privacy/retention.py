"""Retention by class of data: what goes by itself, after how many days, and what would go now.

A class is declared here once; a tenant may set its period within the class's bounds. The nightly task
deletes or anonymises what is due, in batches; harmless twice, and it goes on where it was cut off.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import transaction
from django.db.models import F, Q, QuerySet
from django.utils.translation import gettext as _

from apps.crm.models import Contact, ImportRowError, PrivacyRequest, RetentionRule
from apps.crm.services.privacy import subjects
from config.errors import NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

_BATCH = 500
_LONGEST_DAYS = 36_500


@dataclass(frozen=True, slots=True)
class DataClass:
    """`due(before)` are the rows older than that, and `forget(rows, now)` lets go of some of them.

    `days` holds where the tenant says nothing; None: for ever. It may say `least` days or more.
    """

    name: str
    days: int | None
    least: int
    due: Callable[[datetime], "QuerySet[Any]"]
    forget: Callable[[list[Any], datetime], int]


@dataclass(frozen=True, slots=True)
class Standing:
    """A class as it is for the tenant in force: its period, and how many rows would go now."""

    data_class: str
    days: int | None
    default_days: int | None
    least_days: int
    due: int


def _refused_rows(before: datetime) -> "QuerySet[Any]":
    return ImportRowError.objects.filter(job__finished_at__lt=before)


def _delete_refused(rows: list[Any], now: datetime) -> int:
    wanted = Q(pk__in=[])
    for row in rows:
        wanted |= Q(job_id=row.job_id, row_number=row.row_number)
    return int(ImportRowError.objects.filter(wanted).delete()[0])


def _closed_requests(before: datetime) -> "QuerySet[Any]":
    told = ~(Q(subject="") & Q(note="") & Q(contact_id=None))
    return PrivacyRequest.objects.filter(told, closed_at__lt=before)


def _anonymise(rows: list[Any], now: datetime) -> int:
    """That it was asked and answered in time stays; who asked goes."""
    found = PrivacyRequest.objects.filter(pk__in=[row.pk for row in rows])
    return int(found.update(subject="", note="", outcome=F("kind"), contact_id=None))


def _archived(before: datetime) -> "QuerySet[Any]":
    return Contact.objects.filter(archived_at__lt=before)


def _erase(rows: list[Any], now: datetime) -> int:
    for row in rows:
        subjects.erase(contact_id=row.pk, now=now)
    return len(rows)


CLASSES: dict[str, DataClass] = {
    each.name: each
    for each in (
        DataClass("archived_contacts", None, 30, _archived, _erase),
        DataClass("closed_privacy_requests", 1_095, 365, _closed_requests, _anonymise),
        DataClass("refused_import_rows", 90, 1, _refused_rows, _delete_refused),
    )
}


def standing(*, now: datetime) -> list[Standing]:
    """Every class, with what the next night would let go of: the dry run."""
    chosen = _chosen()
    return [_standing(each, _days_of(each, chosen), now) for each in CLASSES.values()]


@transaction.atomic
def choose(*, name: str, days: int | None, now: datetime) -> Standing:
    """Set the tenant's period of one class; None keeps for ever. Raises NotFound, ValidationFailed."""
    known = CLASSES.get(name)
    if known is None:
        raise NotFound()
    if days is not None and not known.least <= days <= _LONGEST_DAYS:
        told = {"least": known.least, "most": _LONGEST_DAYS}
        message = _("A whole number from %(least)d to %(most)d, or null.") % told
        raise ValidationFailed(errors={"days": [message]})
    was = _days_of(known, _chosen())
    RetentionRule.objects.update_or_create(
        data_class=name, defaults={"days": days, "changed_at": now}
    )
    change = Change(before={"days": was}, after={"days": days})
    record(Action.RETENTION_CHANGED, Subject("retention", name), change)
    return _standing(known, days, now)


def enforce(*, now: datetime) -> dict[str, int]:
    """Let go of what is due at the tenant in force; {class: rows}, of those that had any."""
    chosen = _chosen()
    gone = {
        each.name: _let_go(each, now - timedelta(days=days), now)
        for each in CLASSES.values()
        if (days := _days_of(each, chosen)) is not None
    }
    return {name: count for name, count in gone.items() if count}


def _let_go(known: DataClass, before: datetime, now: datetime) -> int:
    count = 0
    while rows := list(known.due(before).order_by("pk")[:_BATCH]):
        with transaction.atomic():
            count += known.forget(rows, now)
    return count


def _chosen() -> dict[str, int | None]:
    return dict(RetentionRule.objects.values_list("data_class", "days"))


def _days_of(known: DataClass, chosen: dict[str, int | None]) -> int | None:
    return chosen.get(known.name, known.days)


def _standing(known: DataClass, days: int | None, now: datetime) -> Standing:
    due = 0 if days is None else known.due(now - timedelta(days=days)).count()
    return Standing(known.name, days, known.days, known.least, due)
