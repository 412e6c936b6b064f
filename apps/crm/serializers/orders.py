"""What clients say of, and read about, orders."""

from typing import Any

from rest_framework import serializers

from apps.crm.models import Order
from apps.crm.models.people import EXTERNAL_ID_LENGTH
from apps.crm.serializers.people import MoneyOut
from config.serializers import LineField, Money, RowSerializer, StrictSerializer, WholeNumberField

_MAX_QUANTITY = 2**31 - 1


class OrderIn(StrictSerializer):
    contact = serializers.UUIDField()
    external_id = LineField(
        max_length=EXTERNAL_ID_LENGTH, required=False, allow_null=True, default=None
    )
    ordered_on = serializers.DateField()
    quantity = WholeNumberField(min_value=1, max_value=_MAX_QUANTITY, default=1)
    amount = Money()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        money = attrs.pop("amount")
        return {**attrs, "amount_minor": money["amount"], "currency": money["currency"]}


class OrderOut(RowSerializer[Order]):
    contact = serializers.UUIDField(source="contact_id")
    amount = serializers.SerializerMethodField()

    class Meta:
        model = Order
        fields = ["id", "external_id", "contact", "ordered_on", "quantity", "amount", "created_at"]

    def get_amount(self, order: Order) -> MoneyOut:
        money: Any = {"amount": order.amount_minor, "currency": order.currency}
        return money  # type: ignore[no-any-return]
