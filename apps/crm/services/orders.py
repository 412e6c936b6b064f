"""Orders: purchases of contacts, in minor units of their currency."""

from datetime import date, datetime
from typing import TypedDict
from uuid import UUID

from django.db import IntegrityError, transaction
from django.db.models import Max
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from apps.crm.models import Contact, Order
from apps.crm.services.segments import changes
from config.errors import DomainError, NotFound, ValidationFailed
from tenants.trail.actions import Action
from tenants.trail.recording import Subject, record


class OrderValues(TypedDict):
    contact: UUID
    external_id: str | None
    ordered_on: date
    quantity: int
    amount_minor: int
    currency: str


class OrderExists(DomainError):
    """Another order, `id`, has this external id."""

    code = "order_exists"
    status = 409
    title = gettext_lazy("Another order has this external id.")


@transaction.atomic
def create(*, values: OrderValues, now: datetime) -> Order:
    """Add an order. Equal orders of one day are distinct unless they share an external id.

    Raises ValidationFailed (no such contact) and OrderExists.
    """
    # The contact's row is the lock under which equal orders are numbered.
    contact = Contact.objects.select_for_update().filter(pk=values["contact"]).first()
    if contact is None:
        raise ValidationFailed(errors={"contact": [_("There is no such contact.")]})
    order = Order(
        contact=contact,
        external_id=values["external_id"],
        ordered_on=values["ordered_on"],
        quantity=values["quantity"],
        amount_minor=values["amount_minor"],
        currency=values["currency"],
        created_at=now,
    )
    if order.external_id is None:
        order.occurrence = _occurrences(order) + 1
    try:
        with transaction.atomic():
            order.save(force_insert=True)
    except IntegrityError as error:
        holder = Order.objects.filter(external_id=order.external_id).first()
        if holder is None:
            raise
        raise OrderExists(id=str(holder.pk)) from error
    changes.note([contact.pk])
    return order


@transaction.atomic
def delete(*, order_id: UUID) -> None:
    """Delete an order. Raises NotFound."""
    order = Order.objects.select_for_update().filter(pk=order_id).first()
    if order is None:
        raise NotFound()
    order.delete()
    changes.note([order.contact_id])
    record(Action.ORDER_DELETED, Subject("order", order_id))


def _occurrences(order: Order) -> int:
    equal = Order.objects.filter(
        contact=order.contact,
        external_id__isnull=True,
        ordered_on=order.ordered_on,
        quantity=order.quantity,
        amount_minor=order.amount_minor,
        currency=order.currency,
    )
    return equal.aggregate(last=Max("occurrence"))["last"] or 0
