"""Invoice items: amounts that wait for the customer's next invoice, or go onto a given draft."""

from decimal import Decimal

from tests.standins.store import Json
from tests.standins.stripe import billing, lines, prices
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import dangling, invalid, missing
from tests.standins.stripe.listing import page_of
from tests.standins.stripe.params import Params
from tests.standins.stripe.rating import amount_of, cents
from tests.standins.stripe.routes import Routes

routes = Routes()

_FIELDS = "amount description discountable metadata period quantity unit_amount_decimal"


@routes.post(
    "/v1/invoiceitems", f"customer currency invoice subscription pricing price_data {_FIELDS}"
)
def create(account: Account, params: Params) -> Json:
    customer = account.named_by(params, "customer")
    invoice = account.named_by(params, "invoice") if "invoice" in params else None
    subscription = None
    if "subscription" in params:
        subscription = account.named_by(params, "subscription")["id"]
    item = asked_for(account, params, customer=customer["id"], subscription=subscription)
    if invoice is not None:
        _check_fits(invoice, item)
        item["invoice"] = invoice["id"]
    account.create(item, "invoiceitem.created")
    if invoice is not None:
        _refresh(account, invoice["id"])
    return item


def asked_for(account: Account, params: Params, *, customer: str, subscription: str | None) -> Json:
    """The item that the parameters describe, by a price, a unit amount or an amount."""
    quantity = params.integer("quantity")
    quantity = 1 if quantity is None else quantity
    amount, currency, pricing = _amount(account, params, quantity)
    return lines.invoice_item(
        account,
        customer=customer,
        amount=amount,
        currency=currency,
        description=params.text("description"),
        period=_period(account, params),
        discountable=params.flag("discountable") is not False and amount > 0,
        metadata=params.into_metadata(None),
        pricing=pricing,
        quantity=quantity,
        subscription=subscription,
    )


def _amount(account: Account, params: Params, quantity: int) -> tuple[int, str, Json]:
    if "pricing" in params or "price_data" in params:
        price = (
            prices.one_off_price(account, params.inner("price_data"))
            if "price_data" in params
            else account.named_by(params.inner("pricing"), "price")
        )
        return amount_of(price, quantity), price["currency"], lines.priced(price)
    unit = params.decimal("unit_amount_decimal")
    amount = params.integer("amount")
    if unit is None and amount is None:
        raise missing("amount")
    if unit is None:
        unit = Decimal(amount or 0)
        quantity = 1
    pricing = {"type": "price_details", "price_details": None, "unit_amount_decimal": str(unit)}
    return cents(unit * quantity), params.required("currency").lower(), pricing


def _period(account: Account, params: Params) -> Json:
    given = params.inner("period")
    start = given.integer("start") or account.now
    return {"start": start, "end": given.integer("end") or start}


def _check_fits(invoice: Json, item: Json) -> None:
    billing.require(invoice, "draft")
    if invoice["customer"] != item["customer"]:
        raise dangling("invoice", invoice["id"], param="invoice")
    if invoice["currency"] != item["currency"]:
        raise invalid(
            f"The currency of the invoice item must be {invoice['currency']}.", param="currency"
        )


def _refresh(account: Account, invoice_id: str) -> None:
    """Make the draft's lines those of its items again; other lines stay."""
    invoice = account.get("invoice", invoice_id)
    own = [line for line in invoice["lines"]["data"] if not _item_of(line)]
    held = account.find("invoiceitem", lambda item: item["invoice"] == invoice_id)
    known = {_item_of(line): line["id"] for line in invoice["lines"]["data"] if _item_of(line)}
    for item in held:
        line = lines.of_invoice_item(item)
        own.append(line | {"id": known.get(item["id"], line["id"])})
    billing.set_lines(invoice, own)
    account.change(invoice, "invoice.updated")


def _item_of(line: Json) -> str | None:
    details = (line["parent"] or {}).get("invoice_item_details") or {}
    return details.get("invoice_item")


@routes.get("/v1/invoiceitems/<item_id>")
def retrieve(account: Account, _: Params, item_id: str) -> Json:
    return account.get("invoiceitem", item_id)


@routes.post("/v1/invoiceitems/<item_id>", "amount description discountable metadata period")
def update(account: Account, params: Params, item_id: str) -> Json:
    item = account.get("invoiceitem", item_id)
    _require_open(account, item)
    amount = params.integer("amount")
    if amount is not None:
        item |= {"amount": amount, "net_amount": amount}
        item["pricing"]["unit_amount_decimal"] = str(amount)
    if "description" in params:
        item["description"] = params.text("description")
    if "discountable" in params:
        item["discountable"] = params.flag("discountable")
    if "period" in params:
        item["period"] = _period(account, params)
    item["metadata"] = params.into_metadata(item["metadata"])
    account.save(item)
    if item["invoice"] is not None:
        _refresh(account, item["invoice"])
    return item


def _require_open(account: Account, item: Json) -> None:
    if item["invoice"] is not None:
        billing.require(account.get("invoice", item["invoice"]), "draft")


@routes.delete("/v1/invoiceitems/<item_id>")
def delete(account: Account, _: Params, item_id: str) -> Json:
    item = account.get("invoiceitem", item_id)
    _require_open(account, item)
    gone = account.remove(item, "invoiceitem.deleted")
    if item["invoice"] is not None:
        _refresh(account, item["invoice"])
    return gone


@routes.list("/v1/invoiceitems", "customer invoice pending")
def every(account: Account, params: Params) -> Json:
    pending = params.flag("pending")
    return page_of(
        account,
        "invoiceitem",
        params,
        url="/v1/invoiceitems",
        equal=("customer", "invoice"),
        matches=lambda item: pending is None or (item["invoice"] is None) == pending,
    )
