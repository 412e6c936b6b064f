# ruff: noqa: DJ001  (what is absent is NULL: several rows may lack a unique key, none may share one)
"""Purchases of contacts."""

from django.contrib.postgres.indexes import OpClass
from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from apps.crm.models.people import EXTERNAL_ID_LENGTH, Contact
from config.ids import new_id
from tenants.querysets import StallModel


class Order(StallModel):
    """A purchase. Without an `external_id` its facts are its key, and `occurrence` tells equal ones of a day apart."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    contact = models.ForeignKey(
        Contact, on_delete=models.CASCADE, related_name="orders", db_index=False
    )
    external_id = models.CharField(max_length=EXTERNAL_ID_LENGTH, null=True)
    ordered_on = models.DateField()
    quantity = models.PositiveIntegerField(default=1)
    amount_minor = models.PositiveBigIntegerField()
    currency = models.CharField(max_length=3)
    occurrence = models.PositiveIntegerField(default=1)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=[
                    "contact",
                    "ordered_on",
                    "amount_minor",
                    "quantity",
                    "currency",
                    "occurrence",
                ],
                condition=Q(external_id__isnull=True),
                name="order_once_by_its_facts",
            ),
            models.UniqueConstraint(
                fields=["external_id"],
                condition=Q(external_id__isnull=False),
                name="order_once_by_external_id",
            ),
            models.CheckConstraint(
                condition=~Q(external_id=""), name="order_external_id_is_not_empty"
            ),
            models.CheckConstraint(condition=Q(quantity__gte=1), name="order_buys_something"),
            models.CheckConstraint(
                condition=Q(currency__regex="^[A-Z]{3}$"), name="order_currency_is_iso_4217"
            ),
            models.CheckConstraint(condition=Q(occurrence__gte=1), name="order_occurs"),
        ]
        indexes = [
            # ?contact= and a contact's sums; ?ordered_on__gte=
            models.Index(fields=["contact", "ordered_on"], name="order_of_contact"),
            models.Index(fields=["ordered_on", "id"], name="order_by_day"),
            # ?search=, ?amount__gte=
            models.Index(
                OpClass("external_id", name="varchar_pattern_ops"),
                condition=Q(external_id__isnull=False),
                name="order_by_start_of_id",
            ),
            models.Index(fields=["currency", "amount_minor"], name="order_by_amount"),
        ]

    def __str__(self) -> str:
        return str(self.pk)
