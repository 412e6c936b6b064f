"""Requests of a law: taken with their deadline, extended, and answered by doing what was asked for."""

from datetime import date, datetime
from typing import Any, TypedDict
from uuid import UUID

from django.db import transaction
from django.utils.translation import gettext as _

from apps.crm.models import Contact, PrivacyRequest
from apps.crm.services import consents
from apps.crm.services.privacy import subjects
from apps.crm.services.privacy.laws import TERMS, kinds_of
from apps.crm.services.privacy.refusals import (
    PrivacyRequestClosed,
    PrivacyRequestNamesNobody,
    PrivacyRequestNotExtensible,
)
from config.errors import NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Change, Subject, record

Kind, Status = PrivacyRequest.Kind, PrivacyRequest.Status
_SHOWING = {Kind.ACCESS, Kind.PORTABILITY}
# What a contact who restricts processing, or forbids a sale, says no to.
_WITHDRAWN = {Kind.RESTRICT: ("marketing", "profiling", "sale"), Kind.DO_NOT_SELL: ("sale",)}


class RequestValues(TypedDict):
    """What a tenant says of a request that reached it. `contact` may be named later."""

    law: str
    kind: str
    contact: UUID | None
    subject: str
    note: str
    received_on: date | None


@transaction.atomic
def take(*, values: RequestValues, now: datetime) -> PrivacyRequest:
    """Keep a request and reckon its deadline. Raises ValidationFailed: not of this law, no such contact, the future."""
    law, kind = values["law"], values["kind"]
    term = TERMS.get((law, kind))
    if term is None:
        told = {"kinds": ", ".join(kinds_of(law))}
        raise ValidationFailed(errors={"kind": [_("This law knows: %(kinds)s.") % told]})
    received_on = values["received_on"] or now.date()
    if received_on > now.date():
        raise ValidationFailed(errors={"received_on": [_("This lies in the future.")]})
    made = PrivacyRequest.objects.create(
        law=law,
        kind=kind,
        contact_id=_known(values["contact"]),
        subject=values["subject"],
        note=values["note"],
        received_on=received_on,
        due_on=term.due_on(received_on),
    )
    _record(Action.PRIVACY_REQUEST_TAKEN, made, {"law": law, "kind": kind, "due_on": made.due_on})
    return made


@transaction.atomic
def name_contact(*, request_id: UUID, contact_id: UUID) -> PrivacyRequest:
    """Say whom it is about. Raises NotFound, PrivacyRequestClosed, ValidationFailed."""
    row = _open(request_id)
    row.contact_id = _known(contact_id)
    row.save(update_fields=["contact_id"])
    return row


@transaction.atomic
def extend(*, request_id: UUID, reason: str) -> PrivacyRequest:
    """Take the longer time that the law gives once, with a reason for who asked. Raises PrivacyRequestNotExtensible."""
    row = _open(request_id)
    term = TERMS[row.law, row.kind]
    if not term.is_extensible or row.extended_reason:
        raise PrivacyRequestNotExtensible(due_on=row.due_on)
    was, row.due_on = row.due_on, term.due_on(row.received_on, is_extended=True)
    row.extended_reason = reason
    row.save(update_fields=["due_on", "extended_reason"])
    _record(Action.PRIVACY_REQUEST_EXTENDED, row, {"due_on": row.due_on}, {"due_on": was})
    return row


@transaction.atomic
def complete(
    *, request_id: UUID, outcome: str, by_id: UUID | None, now: datetime
) -> tuple[PrivacyRequest, dict[str, Any]]:
    """Do what was asked for and close the request: it, and what was found, erased or withdrawn.

    Access and portability show the contact's data, erase erases it, restrict and do_not_sell withdraw
    consent on every channel; a correction is made by the tenant, and told in `outcome`.
    Raises NotFound, PrivacyRequestClosed, PrivacyRequestNamesNobody.
    """
    row = _open(request_id)
    done = _done(row, now)
    row.refresh_from_db()
    return _closed(row, Status.COMPLETED, outcome or row.outcome, by_id, now), done


@transaction.atomic
def refuse(*, request_id: UUID, reason: str, by_id: UUID | None, now: datetime) -> PrivacyRequest:
    """Close it without doing it, with the reason that who asked is told. Raises NotFound, PrivacyRequestClosed."""
    return _closed(_open(request_id), Status.REFUSED, reason, by_id, now)


def _done(row: PrivacyRequest, now: datetime) -> dict[str, Any]:
    if row.kind == Kind.CORRECT:
        return {}
    if row.contact_id is None:
        raise PrivacyRequestNamesNobody()
    if row.kind in _SHOWING:
        return {"data": subjects.data_of(contact_id=row.contact_id)}
    if row.kind == Kind.ERASE:
        return {"erased": subjects.erase(contact_id=row.contact_id, now=now)}
    withdrawn = consents.withdraw_all(
        contact_id=row.contact_id,
        purposes=_WITHDRAWN[Kind(row.kind)],
        source=f"{row.law} {row.kind}",
        proof=f"privacy request {row.pk}",
        now=now,
    )
    return {"withdrawn": withdrawn}


def _closed(
    row: PrivacyRequest, status: str, outcome: str, by_id: UUID | None, now: datetime
) -> PrivacyRequest:
    row.status, row.outcome, row.closed_by_id, row.closed_at = status, outcome, by_id, now
    row.save(update_fields=["status", "outcome", "closed_by_id", "closed_at"])
    _record(Action.PRIVACY_REQUEST_CLOSED, row, {"status": status}, {"status": Status.OPEN.value})
    return row


def _open(request_id: UUID) -> PrivacyRequest:
    row = PrivacyRequest.objects.select_for_update().filter(pk=request_id).first()
    if row is None:
        raise NotFound()
    if row.status != Status.OPEN:
        raise PrivacyRequestClosed(state=row.status)
    return row


def _known(contact_id: UUID | None) -> UUID | None:
    if contact_id is not None and not Contact.objects.filter(pk=contact_id).exists():
        raise ValidationFailed(errors={"contact": [_("There is no such contact.")]})
    return contact_id


def _record(
    action: Action,
    row: PrivacyRequest,
    after: dict[str, Any],
    before: dict[str, Any] | None = None,
) -> None:
    record(action, Subject("privacy_request", row.pk), Change(before or {}, after))
