"""Invoices, as the API has them."""

from tests.standins.periods import DAY
from tests.standins.store import Json
from tests.standins.stripe import billing, cards, lifecycle, lines, renewals
from tests.standins.stripe.account import Account
from tests.standins.stripe.errors import invalid, missing
from tests.standins.stripe.listing import page, page_of
from tests.standins.stripe.params import Params
from tests.standins.stripe.routes import Routes

routes = Routes()

_FIELDS = (
    "auto_advance automatically_finalizes_at collection_method days_until_due due_date description"
    " footer metadata default_payment_method custom_fields statement_descriptor number"
)
_TEXTS = ("description", "footer", "statement_descriptor", "number")


@routes.post(
    "/v1/invoices", f"customer subscription currency pending_invoice_items_behavior {_FIELDS}"
)
def create(account: Account, params: Params) -> Json:
    """A draft. Waiting items come in only with pending_invoice_items_behavior=include."""
    subscription = account.named_by(params, "subscription") if "subscription" in params else None
    ident = subscription["customer"] if subscription else account.named_by(params, "customer")["id"]
    customer = account.get("customer", ident)
    given = params.text("currency") or customer["currency"] or "usd"
    invoice = billing.draft(
        account,
        customer,
        currency=subscription["currency"] if subscription else given.lower(),
        reason="manual",
        period={"start": account.now, "end": account.now},
        **(billing.of_subscription(subscription) if subscription else {}),
    )
    if (
        params.one_of("pending_invoice_items_behavior", ("exclude", "include"), "exclude")
        == "include"
    ):
        wanted = (None, subscription["id"]) if subscription else (None,)
        waiting = billing.take_pending(
            account, invoice, lambda item: lines.subscription_of(item) in wanted
        )
        billing.set_lines(invoice, waiting)
    _fill(account, invoice, params)
    account.save(invoice)
    account.emit("invoice.created", invoice)
    return invoice


def _fill(account: Account, invoice: Json, params: Params) -> None:
    for name in _TEXTS:
        if name in params:
            invoice[name] = params.text(name)
    if "custom_fields" in params:
        invoice["custom_fields"] = [
            {"name": given.required("name"), "value": given.required("value")}
            for given in params.each("custom_fields")
        ]
    if "default_payment_method" in params:
        ident = params.required("default_payment_method")
        method = cards.found(account, ident, param="default_payment_method")
        invoice["default_payment_method"] = method["id"]
    invoice["metadata"] = params.into_metadata(invoice["metadata"])
    _set_collection(account, invoice, params)


def _set_collection(account: Account, invoice: Json, params: Params) -> None:
    if "collection_method" in params:
        invoice["collection_method"] = params.one_of(
            "collection_method", ("charge_automatically", "send_invoice"), "charge_automatically"
        )
    days = params.integer("days_until_due")
    if days is not None:
        invoice["due_date"] = account.now + days * DAY
    if "due_date" in params:
        invoice["due_date"] = params.integer("due_date")
    if "auto_advance" in params:
        invoice["auto_advance"] = params.flag("auto_advance")
        at = params.integer("automatically_finalizes_at")
        at = at or account.now + billing.OPEN_AFTER_SECONDS
        invoice["automatically_finalizes_at"] = at if invoice["auto_advance"] else None
        if invoice["auto_advance"]:
            account.agenda.add(at, "invoice.finalize", invoice["id"])


@routes.get("/v1/invoices/<invoice_id>")
def retrieve(account: Account, _: Params, invoice_id: str) -> Json:
    return account.get("invoice", invoice_id)


@routes.post("/v1/invoices/<invoice_id>", _FIELDS)
def update(account: Account, params: Params, invoice_id: str) -> Json:
    invoice = account.get("invoice", invoice_id)
    if invoice["status"] != "draft" and set(params) - {
        "metadata",
        "auto_advance",
        "default_payment_method",
        "expand",
    }:
        raise invalid(
            "Finalized invoices can't be updated in this way.", code="invoice_not_editable"
        )
    _fill(account, invoice, params)
    return account.change(invoice, "invoice.updated")


@routes.delete("/v1/invoices/<invoice_id>")
def delete(account: Account, _: Params, invoice_id: str) -> Json:
    invoice = account.get("invoice", invoice_id)
    billing.require(invoice, "draft")
    if billing.subscription_id(invoice) is not None:
        raise invalid("You can't delete invoices created by subscriptions.")
    for item in account.find("invoiceitem", lambda item: item["invoice"] == invoice_id):
        account.save(item | {"invoice": None})
    return account.remove(invoice, "invoice.deleted")


@routes.post("/v1/invoices/<invoice_id>/finalize", "auto_advance")
def finalize(account: Account, params: Params, invoice_id: str) -> Json:
    """Final. With auto_advance the card is charged too."""
    invoice = account.get("invoice", invoice_id)
    billing.require(invoice, "draft")
    if (advance := params.flag("auto_advance")) is not None:
        invoice["auto_advance"] = advance
    return renewals.finalize_and_collect(account, invoice)


@routes.post("/v1/invoices/<invoice_id>/send")
def send(account: Account, _: Params, invoice_id: str) -> Json:
    invoice = account.get("invoice", invoice_id)
    if invoice["status"] == "draft":
        invoice = renewals.finalize_and_collect(account, invoice)
    account.emit("invoice.sent", invoice)
    return invoice


@routes.post("/v1/invoices/<invoice_id>/pay", "payment_method paid_out_of_band off_session")
def pay(account: Account, params: Params, invoice_id: str) -> Json:
    """Collect now. A decline is a 402 that leaves its failed charge behind."""
    invoice = account.get("invoice", invoice_id)
    if invoice["status"] == "draft":
        billing.finalize(account, invoice)
    if invoice["status"] == "paid":
        raise invalid("Invoice is already paid", code="invoice_already_paid")
    billing.require(invoice, "open", "uncollectible", code="invoice_not_open")
    if params.flag("paid_out_of_band"):
        billing.mark_paid(account, invoice, out_of_band=True)
        lifecycle.follow_payment(account, invoice)
        return account.get("invoice", invoice_id)
    ident = params.text("payment_method")
    method = None if ident is None else cards.found(account, ident, param="payment_method")
    refusal = lifecycle.collect(account, invoice, method=method)
    if refusal is not None:
        refusal.keeps_work = refusal.is_final
        raise refusal
    return account.get("invoice", invoice_id)


@routes.post("/v1/invoices/<invoice_id>/void")
def void(account: Account, _: Params, invoice_id: str) -> Json:
    return billing.close(account, account.get("invoice", invoice_id), status="void")


@routes.post("/v1/invoices/<invoice_id>/mark_uncollectible")
def mark_uncollectible(account: Account, _: Params, invoice_id: str) -> Json:
    return billing.close(account, account.get("invoice", invoice_id), status="uncollectible")


@routes.list("/v1/invoices/<invoice_id>/lines")
def every_line(account: Account, params: Params, invoice_id: str) -> Json:
    invoice = account.get("invoice", invoice_id)
    return page(invoice["lines"]["data"], params, url=f"/v1/invoices/{invoice_id}/lines")


@routes.list("/v1/invoices", "customer status subscription collection_method due_date")
def every(account: Account, params: Params) -> Json:
    subscription = params.text("subscription")
    return page_of(
        account,
        "invoice",
        params,
        url="/v1/invoices",
        equal=("customer", "status", "collection_method"),
        matches=lambda body: subscription in (None, billing.subscription_id(body)),
    )


@routes.list("/v1/invoice_payments", "invoice payment status")
def every_payment(account: Account, params: Params) -> Json:
    """Of one invoice, or of one payment intent: which invoice was paid by it."""
    intent = params.inner("payment").text("payment_intent")
    if params.text("invoice") is None and intent is None:
        raise missing("invoice")
    return page_of(
        account,
        "invoice_payment",
        params,
        url="/v1/invoice_payments",
        equal=("invoice", "status"),
        matches=lambda body: intent in (None, body["payment"].get("payment_intent")),
    )


@routes.get("/v1/invoice_payments/<payment_id>")
def retrieve_payment(account: Account, _: Params, payment_id: str) -> Json:
    return account.get("invoice_payment", payment_id)
