"""Contacts: each one is counted by the meter `contacts` from its making until its deletion.

`known` of what writes them are members whom a batch asked for at once (apps/crm/services/owners.py).
"""

from datetime import datetime
from typing import Any, Literal, TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Count, Q, Sum
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Company, Contact, ContactTag, Order, Tag
from apps.crm.services import owners, phones
from apps.crm.services.names import ids_of
from apps.crm.services.owners import Known
from config.context import require_tenant
from config.errors import DomainError, NotFound, ValidationFailed
from config.needs import Meter
from quotas import ledger

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


def get(contact_id: UUID) -> Contact:
    """One contact with company and tags. Raises NotFound."""
    found = Contact.objects.for_reading().filter(pk=contact_id).first()
    if found is None:
        raise NotFound()
    return found


def orders_of(contact_id: UUID) -> tuple[int, list[dict[str, Any]]]:
    """How many orders, and `[{amount, currency}]` summed by currency, in minor units."""
    sums = (
        Order.objects.filter(contact_id=contact_id)
        .values("currency")
        .annotate(amount=Sum("amount_minor"), count=Count("pk"))
        .order_by("currency")
    )
    rows = list(sums)
    totals = [{"amount": int(row["amount"]), "currency": row["currency"]} for row in rows]
    return sum(row["count"] for row in rows), totals


@transaction.atomic
def create(*, values: ContactValues, now: datetime, known: Known = None) -> Contact:
    """Add a contact. Raises ContactExists, QuotaExceeded and ValidationFailed, with nothing written."""
    contact = Contact(created_at=now)
    owners.assign(contact, values, known=known)
    _assign(contact, values, now)
    _save(contact)
    _tag(contact, values)
    _count(contact, now)
    return get(contact.pk)


@transaction.atomic
def change(
    *, contact_id: UUID, values: ContactValues, now: datetime, known: Known = None
) -> Contact:
    """Change what `values` names; custom fields are merged, null removes one.

    Raises NotFound, ContactExists, ValidationFailed.
    """
    contact = _locked(Q(pk=contact_id))
    if contact is None:
        raise NotFound()
    owners.assign(contact, values, known=known)
    _assign(contact, values, now)
    _save(contact)
    _tag(contact, values)
    return get(contact.pk)


@transaction.atomic
def replace(*, contact_id: UUID, values: ContactValues, now: datetime) -> Contact:
    """Make the contact what `values` says and nothing else. Raises as `change` does."""
    blank: ContactValues = {
        "external_id": None,
        "email": None,
        "first_name": "",
        "last_name": "",
        "phone": None,
        "tags": [],
        "owner_id": None,
    }
    Contact.objects.filter(pk=contact_id).update(fields={}, company_id=None)
    return change(contact_id=contact_id, values={**blank, **values}, now=now)


@transaction.atomic
def upsert(
    *, key: UpsertKey, values: ContactValues, now: datetime, known: Known = None
) -> tuple[Contact, bool]:
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
            return create(values=values, now=now, known=known), True
        except ContactExists as taken:
            # Another upsert of the same key was faster.
            found = _locked(condition) if taken.facts["field"] == key else None
            if found is None:
                raise
    return change(contact_id=found.pk, values=values, now=now, known=known), False


@transaction.atomic
def set_archived(*, contact_id: UUID, archived: bool, now: datetime) -> Contact:
    """Take the contact out of lists, or back in. It counts against the plan all the same."""
    if not Contact.objects.filter(pk=contact_id).update(
        archived_at=now if archived else None, updated_at=now
    ):
        raise NotFound()
    return get(contact_id)


@transaction.atomic
def delete(*, contact_id: UUID, now: datetime) -> None:
    """Delete the contact with its orders, consents and tags, and give its unit back. Raises NotFound."""
    contact = _locked(Q(pk=contact_id))
    if contact is None:
        raise NotFound()
    contact.delete()
    ledger.refund(
        tenant_id=require_tenant().id,
        meter=Meter.CONTACTS,
        quantity=1,
        key=f"contact:{contact_id}",
        now=now,
    )


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
    has_name = contact.first_name or contact.last_name
    if not (has_name or contact.email or contact.external_id or contact.phone):
        message = _("A contact has at least an e-mail address, an external id, a phone or a name.")
        raise ValidationFailed(errors={"non_field_errors": [message]})
    try:
        with transaction.atomic():
            contact.save()
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


def _count(contact: Contact, now: datetime) -> None:
    ledger.consume(
        tenant_id=require_tenant().id,
        meter=Meter.CONTACTS,
        quantity=1,
        key=f"contact:{contact.pk}",
        now=now,
    )
