"""Prices as the providers know them."""

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from config.ids import new_id


class Provider(models.TextChoices):
    """Who collects."""

    STRIPE = "stripe"
    PAYPAL = "paypal"


class ProviderPrice(models.Model):
    """A catalogue price as a provider knows it. Superseded ones stay: old subscribers pay them on."""

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    provider = models.CharField(max_length=16, choices=Provider)
    plan = models.CharField(max_length=32)
    interval = models.CharField(max_length=8)
    currency = models.CharField(max_length=3)
    amount_minor = models.PositiveBigIntegerField()
    product_id = models.CharField(max_length=255)
    price_id = models.CharField(max_length=255)
    is_current = models.BooleanField(default=True)
    created_at = models.DateTimeField(db_default=Now())

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["provider", "price_id"], name="provider_price_once_per_provider"
            ),
            models.UniqueConstraint(
                fields=["provider", "plan", "currency", "interval"],
                condition=Q(is_current=True),
                name="provider_price_one_is_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.provider} {self.plan} {self.currency} {self.interval}"
