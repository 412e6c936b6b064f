"""Coupons that a tenant has redeemed."""

from django.db import models

from billing.models.subscriptions import Subscription
from config.ids import new_id


class Redemption(models.Model):
    """One coupon of the catalogue, redeemed once.

    It holds for the stretches that begin in [holds_from, holds_until), which is the end of a billing
    period; both are null until it is put to use. `periods_left` null is for ever.
    """

    id = models.UUIDField(primary_key=True, default=new_id, editable=False)
    subscription = models.ForeignKey(
        Subscription, on_delete=models.CASCADE, related_name="redemptions"
    )
    coupon = models.CharField(max_length=64)
    catalogue_version = models.PositiveIntegerField()
    redeemed_at = models.DateTimeField()
    periods_left = models.PositiveIntegerField(null=True, blank=True)
    holds_from = models.DateTimeField(null=True, blank=True)
    holds_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(fields=["subscription", "coupon"], name="redemption_once")
        ]

    def __str__(self) -> str:
        return f"{self.coupon} by {self.subscription_id}"
