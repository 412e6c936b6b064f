"""Money taken for subscriptions, and given back: transactions, captures, refunds."""

from decimal import Decimal

from tests.standins.paypal.errors import impossible
from tests.standins.paypal.merchant import Answer, Call, Merchant
from tests.standins.paypal.objects import amount, bare, moment, money, new_id
from tests.standins.paypal.routes import Routes
from tests.standins.store import Json

routes = Routes("payments_payment_v2")

_FEE_SHARE, _FEE_FIXED = Decimal("0.0349"), Decimal("0.49")


def collect(merchant: Merchant, subscription: Json, breakdown: Json) -> bool:
    """Take `gross_amount` from the buyer; whether the money came. Both leave a transaction.

    The subscription's billing_info follows a success; the caller writes the subscription after.
    """
    gross = breakdown["gross_amount"]
    currency, value = gross["currency_code"], Decimal(gross["value"])
    is_paid = bool(subscription["_funds"] == "ok")
    fee = value * _FEE_SHARE + _FEE_FIXED if is_paid else Decimal(0)
    fee_money = money(fee, currency)
    transaction: Json = {
        "id": new_id("", 17),
        "status": "COMPLETED" if is_paid else "DECLINED",
        "amount_with_breakdown": breakdown
        | {
            "fee_amount": fee_money,
            "net_amount": money(value - Decimal(fee_money["value"]), currency),
        },
        "payer_name": subscription["subscriber"].get("name", {"given_name": "", "surname": ""}),
        "payer_email": subscription["subscriber"]["email_address"],
        "time": moment(merchant.now),
        "_at": merchant.now,
        "_subscription": subscription["id"],
        "_custom_id": subscription.get("custom_id", ""),
        "_refunded": "0",
    }
    merchant.save("transaction", transaction)
    if is_paid:
        subscription["billing_info"] |= {
            "last_payment": {"amount": gross, "time": moment(merchant.now)},
            "failed_payments_count": 0,
        }
    merchant.emit(
        "PAYMENT.SALE.COMPLETED" if is_paid else "PAYMENT.SALE.DENIED", _sale(merchant, transaction)
    )
    return is_paid


def _sale(merchant: Merchant, transaction: Json) -> Json:
    """The older shape in which PayPal tells of a subscription's payment."""
    gross = transaction["amount_with_breakdown"]["gross_amount"]
    path = f"/v1/payments/sale/{transaction['id']}"
    is_paid = transaction["status"] == "COMPLETED"
    fee = transaction["amount_with_breakdown"]["fee_amount"]
    return {
        "id": transaction["id"],
        "billing_agreement_id": transaction["_subscription"],
        "amount": {
            "total": gross["value"],
            "currency": gross["currency_code"],
            "details": {"subtotal": gross["value"]},
        },
        "custom": transaction["_custom_id"],
        "payment_mode": "INSTANT_TRANSFER",
        "protection_eligibility": "ELIGIBLE",
        "protection_eligibility_type": "ITEM_NOT_RECEIVED_ELIGIBLE,UNAUTHORIZED_PAYMENT_ELIGIBLE",
        "transaction_fee": {"currency": fee["currency_code"], "value": fee["value"]},
        "invoice_number": "",
        "state": "completed" if is_paid else "denied",
        "create_time": transaction["time"],
        "update_time": transaction["time"],
        "links": [merchant.link(path, "self"), merchant.link(f"{path}/refund", "refund", "POST")],
    }


def _capture(merchant: Merchant, transaction: Json) -> Json:
    breakdown = transaction["amount_with_breakdown"]
    path = f"/v2/payments/captures/{transaction['id']}"
    body: Json = {
        "id": transaction["id"],
        "status": transaction["status"],
        "amount": breakdown["gross_amount"],
        "final_capture": True,
        "seller_protection": {
            "status": "ELIGIBLE",
            "dispute_categories": ["ITEM_NOT_RECEIVED", "UNAUTHORIZED_TRANSACTION"],
        },
        "seller_receivable_breakdown": {
            "gross_amount": breakdown["gross_amount"],
            "paypal_fee": breakdown["fee_amount"],
            "net_amount": breakdown["net_amount"],
        },
        "create_time": transaction["time"],
        "update_time": transaction["time"],
        "links": [merchant.link(path, "self"), merchant.link(f"{path}/refund", "refund", "POST")],
    }
    if transaction["_custom_id"]:
        body["custom_id"] = transaction["_custom_id"]
    return body


@routes.on("GET", "/v2/payments/captures/{capture_id}")
def retrieve(merchant: Merchant, _: Call, capture_id: str) -> Answer:
    return Answer(200, _capture(merchant, merchant.get("transaction", capture_id)))


@routes.on("POST", "/v2/payments/captures/{capture_id}/refund")
def refund(merchant: Merchant, call: Call, capture_id: str) -> Answer:
    transaction = merchant.get("transaction", capture_id)
    gross = transaction["amount_with_breakdown"]["gross_amount"]
    left = Decimal(gross["value"]) - Decimal(transaction["_refunded"])
    if left <= 0:
        raise impossible("CAPTURE_FULLY_REFUNDED", "The capture has already been fully refunded.")
    wish = (call.body or {}).get("amount")
    if wish is not None and wish["currency_code"] != gross["currency_code"]:
        raise impossible("REFUND_CAPTURE_CURRENCY_MISMATCH", "Refund must be in the same currency.")
    value = left if wish is None else amount(wish, field="/amount")
    if not 0 < value <= left:
        raise impossible("REFUND_AMOUNT_EXCEEDED", "The refund amount must be less than the rest.")
    if transaction["status"] not in ("COMPLETED", "PARTIALLY_REFUNDED"):
        raise impossible("CAPTURE_STATUS_INVALID", "The capture is not completed.")
    transaction["_refunded"] = str(Decimal(transaction["_refunded"]) + value)
    transaction["status"] = "REFUNDED" if value == left else "PARTIALLY_REFUNDED"
    merchant.save("transaction", transaction)
    body = _refund(merchant, transaction, money(value, gross["currency_code"]), call.body or {})
    merchant.save("refund", body)
    merchant.emit("PAYMENT.CAPTURE.REFUNDED", body)
    minimal = {key: value for key, value in body.items() if key in ("id", "status", "links")}
    return Answer(201, bare(body) if call.wants_whole else minimal)


def _refund(merchant: Merchant, transaction: Json, value: Json, wish: Json) -> Json:
    ident = new_id("", 17)
    zero = money(Decimal(0), value["currency_code"])
    kept = {
        name: wish[name] for name in ("invoice_id", "custom_id", "note_to_payer") if name in wish
    }
    return {
        "id": ident,
        "status": "COMPLETED",
        "amount": value,
        **kept,
        "seller_payable_breakdown": {
            "gross_amount": value,
            "paypal_fee": zero,
            "net_amount": value,
            "total_refunded_amount": money(
                Decimal(transaction["_refunded"]), value["currency_code"]
            ),
        },
        "create_time": moment(merchant.now),
        "update_time": moment(merchant.now),
        "links": [
            merchant.link(f"/v2/payments/refunds/{ident}", "self"),
            merchant.link(f"/v2/payments/captures/{transaction['id']}", "up"),
        ],
    }


@routes.on("GET", "/v2/payments/refunds/{refund_id}")
def retrieve_refund(merchant: Merchant, _: Call, refund_id: str) -> Answer:
    return Answer(200, merchant.get("refund", refund_id))
