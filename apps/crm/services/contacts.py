"""Contacts: each one is counted by the meter `contacts` from its making until its deletion.

Batches of them: apps/crm/services/batches.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from django.conf import settings
from django.db import IntegrityError, connection, transaction
from django.db.models import Q
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Company, Contact, ContactTag, Tag
from apps.crm.services import owners, phones
from apps.crm.services.contact_rows import ContactRow, get, insert
from apps.crm.services.names import ids_of
from apps.crm.services.segments import changes
from config.context import require_tenant
from config.errors import DomainError, NotFound, ValidationFailed
from config.needs import Meter
from config.transactions import recoverable
from quotas import ledger
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record

_WHO = ("first_name", "last_name", "email", "external_id", "phone")
UpsertKey = Literal["email", "external_id"]


class ContactValues(TypedDict, total=False):
    """What a client says of a contact; what is not named stays. `company` is a name, made when new."""

    external_id: str | None
    email: str | None
    first_name: str
    last_name: str
    phone: str | None
    phone_region: str
    company: str | None
    company_id: UUID | None
    tags: list[str]
    fields: dict[str, Any]
    owner_id: UUID | None


class ContactExists(DomainError):
    """Another contact, `id`, has this e-mail address or external id."""

    code = "contact_exists"
    status = 409
    title = gettext_lazy("Another contact has this e-mail address or external id.")


def create(*, values: ContactValues, now: datetime) -> ContactRow:
    """Add a contact. Raises ContactExists, QuotaExceeded and ValidationFailed, with nothing written."""
    names_others = values.keys() & {"company", "company_id", "tags"}
    if not names_others and not connection.in_atomic_block:
        # One statement is a transaction of its own, and one message.
        return _inserted(_new(values, now), now)
    with transaction.atomic():
        contact = _new(values, now)
        row = _inserted(contact, now)
        _tag(contact, values)
        return get(contact.pk) if values.get("tags") else row


def _new(values: ContactValues, now: datetime) -> Contact:
    contact = Contact(created_at=now)
    owners.assign(contact, values)
    _assign(contact, values, now)
    return contact


@transaction.atomic
def change(*, contact_id: UUID, values: ContactValues, now: datetime) -> ContactRow:
    """Change what `values` names; custom fields are merged, null removes one.

    Raises NotFound, ContactExists, ValidationFailed.
    """
    contact = _locked(Q(pk=contact_id))
    if contact is None:
        raise NotFound()
    owners.assign(contact, values)
    _assign(contact, values, now)
    _save(contact)
    _tag(contact, values)
    changes.note([contact.pk])
    return get(contact.pk)


@transaction.atomic
def replace(*, contact_id: UUID, values: ContactValues, now: datetime) -> ContactRow:
    """Make the contact what `values` says and nothing else. Raises as `change` does."""
    blank: ContactValues = {
        "external_id": None, "email": None, "first_name": "", "last_name": "", "phone": None,
        "tags": [], "owner_id": None,
    }  # fmt: skip
    Contact.objects.filter(pk=contact_id).update(fields={}, company_id=None)
    return change(contact_id=contact_id, values={**blank, **values}, now=now)


@transaction.atomic
def upsert(*, key: UpsertKey, values: ContactValues, now: datetime) -> tuple[ContactRow, bool]:
    """Change the contact that has this key, or add one: (contact, whether it is new).

    Raises ValidationFailed where `values` lacks the key.
    """
    wanted = values.get(key)
    if not wanted:
        raise ValidationFailed(errors={key: [_("The key of an upsert is needed.")]})
    condition = Q(**{key: wanted.lower() if key == "email" else wanted})
    found = _locked(condition)
    if found is None:
        try:
            return create(values=values, now=now), True
        except ContactExists as taken:
            # Another upsert of the same key was faster.
            found = _locked(condition) if taken.facts["field"] == key else None
            if found is None:
                raise
    return change(contact_id=found.pk, values=values, now=now), False


@transaction.atomic
def set_archived(*, contact_id: UUID, archived: bool, now: datetime) -> ContactRow:
    """Take the contact out of lists, or back in. It counts against the plan all the same."""
    if not Contact.objects.filter(pk=contact_id).update(
        archived_at=now if archived else None, updated_at=now
    ):
        raise NotFound()
    changes.note([contact_id])
    return get(contact_id)


@transaction.atomic
def delete(*, contact_id: UUID, now: datetime) -> None:
    """Delete the contact with its orders, consents and tags, and give its unit back. Raises NotFound."""
    contact = _locked(Q(pk=contact_id))
    if contact is None:
        raise NotFound()
    contact.delete()
    record(Action.CONTACT_DELETED, Subject("contact", contact_id))
    key, whose = f"contact:{contact_id}", require_tenant().id
    ledger.refund(tenant_id=whose, meter=Meter.CONTACTS, quantity=1, key=key, now=now)


def _locked(condition: Q) -> Contact | None:
    return Contact.objects.select_for_update().filter(condition).first()


def _assign(contact: Contact, values: ContactValues, now: datetime) -> None:
    for name in ("external_id", "first_name", "last_name"):
        if name in values:
            setattr(contact, name, values[name])
    if "email" in values:
        contact.email = values["email"].lower() if values["email"] else None
    if "phone" in values:
        region = values.get("phone_region")
        phone = values["phone"]
        contact.phone = phones.checked(phone, region=region) if phone else None
    if "fields" in values:
        merged = {**contact.fields, **values["fields"]}
        contact.fields = {name: value for name, value in merged.items() if value is not None}
    _assign_company(contact, values)
    contact.updated_at = now


def _assign_company(contact: Contact, values: ContactValues) -> None:
    if "company_id" in values:
        company_id = values["company_id"]
        if company_id is not None and not Company.objects.filter(pk=company_id).exists():
            raise ValidationFailed(errors={"company_id": [_("There is no such company.")]})
        contact.company_id = company_id
    elif "company" in values:
        name = values["company"]
        contact.company_id = ids_of(Company, [name])[name] if name else None


def _save(contact: Contact) -> None:
    refuse_nobody(vars(contact))
    with _naming_the_holder(contact):
        contact.save()


def _inserted(contact: Contact, now: datetime) -> ContactRow:
    """Take a unit of the plan and insert the contact, in one statement: both or neither."""
    refuse_nobody(vars(contact))
    unit: dict[str, Any] = {
        "tenant_id": require_tenant().id, "meter": Meter.CONTACTS, "quantity": 1,
        "key": f"contact:{contact.pk}", "now": now,
    }  # fmt: skip
    if settings.PLAZA_CITUS:  # its rows may lie on a node that has no ledger
        with transaction.atomic(), _naming_the_holder(contact):
            contact.save(force_insert=True)
            ledger.consume(**unit)
            changes.note([contact.pk])
            return get(contact.pk)
    taking = ledger.taking_of(**unit)
    with _naming_the_holder(contact):
        return insert(contact, taking)


def refuse_nobody(columns: Mapping[str, Any]) -> None:
    """Raise ValidationFailed for a contact of whom nothing tells who it is."""
    if not any(columns[name] for name in _WHO):
        message = _("A contact has at least an e-mail address, an external id, a phone or a name.")
        raise ValidationFailed(errors={"non_field_errors": [message]})


@contextmanager
def _naming_the_holder(contact: Contact) -> Iterator[None]:
    """Write inside; where another contact has a key, raise the ContactExists that names it."""
    try:
        with recoverable():
            yield
    except IntegrityError as error:
        taken = _taken(contact)
        if taken is None:
            raise
        raise taken from error


def _taken(contact: Contact) -> ContactExists | None:
    """The refusal that names who has the key; None when it was not about a key."""
    for field in ("email", "external_id"):
        value = getattr(contact, field)
        if value is None:
            continue
        holder = Contact.objects.filter(**{field: value}).exclude(pk=contact.pk).first()
        if holder is not None:
            return ContactExists(id=str(holder.pk), field=field)
    return None


def _tag(contact: Contact, values: ContactValues) -> None:
    if "tags" not in values:
        return
    wanted = set(ids_of(Tag, values["tags"]).values())
    ContactTag.objects.filter(contact=contact).exclude(tag_id__in=wanted).delete()
    ContactTag.objects.bulk_create(
        [ContactTag(contact=contact, tag_id=tag_id) for tag_id in sorted(wanted)],
        ignore_conflicts=True,
    )
